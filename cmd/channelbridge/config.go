package main

import (
	"channelbridge/internal/secret"
)

// Config is the whole configuration. It is the one description: reading, checking, printing and
// docs/config.schema.json all follow from its fields and their tags.
//
//	yaml      the key
//	doc       what it means
//	default   taken when the key is absent
//	enum      the values allowed
//	pattern   what a text must look like
//	required  must be present
//	env       an environment variable that goes before the file
type Config struct {
	Listen        string      `yaml:"listen" default:":8080" env:"CHANNELBRIDGE_LISTEN" doc:"Address to listen on for pushes, health and, without metrics_listen, metrics."`
	MetricsListen string      `yaml:"metrics_listen" doc:"Separate address for /metrics, /healthz and /readyz; the first two are then not served on listen."`
	PublicURL     string      `yaml:"public_url" env:"CHANNELBRIDGE_PUBLIC_URL" doc:"Address under which the internet reaches listen, such as https://bridge.example.com. Needed for stores to push to us; without it sweeps bring the news."`
	DatabaseURL   databaseURL `yaml:"database_url" env:"CHANNELBRIDGE_DATABASE_URL" doc:"postgres://… or sqlite:path. Default: the file channelbridge.db in data_dir."`
	DataDir       string      `yaml:"data_dir" default:"./data" doc:"Folder for the SQLite file and the key file."`
	KeyFile       string      `yaml:"key_file" doc:"File with the key that seals credentials of connections added at run time: base64 of 32 bytes, mode 0600. Default: channelbridge.key in data_dir."`
	Key           secret.Text `yaml:"-" env:"CHANNELBRIDGE_KEY"`
	TimeZone      string      `yaml:"time_zone" default:"UTC" doc:"IANA time zone in which days are counted for people. Same-day deadlines always follow the channel's own zone."`

	Log       LogConfig       `yaml:"log" doc:"What is logged, to standard error."`
	Tracing   TracingConfig   `yaml:"tracing" doc:"OpenTelemetry traces."`
	Limits    LimitsConfig    `yaml:"limits" doc:"Bounds on what the bridge takes on."`
	Retention RetentionConfig `yaml:"retention" doc:"How long things are kept."`
	API       APIConfig       `yaml:"api" doc:"The API under /v1."`

	Events []EventConfig `yaml:"events" doc:"Your own systems that are told what happened about payouts."`

	Connections []ConnectionConfig `yaml:"connections" doc:"The marketplaces and stores to keep in agreement."`
}

// LogConfig says what is logged.
type LogConfig struct {
	Level  string `yaml:"level" default:"info" enum:"debug,info,warn,error" env:"CHANNELBRIDGE_LOG_LEVEL" doc:"The least important lines that are logged."`
	Format string `yaml:"format" default:"json" enum:"json,text" doc:"json for machines, text for people."`
}

// TracingConfig says where traces go.
type TracingConfig struct {
	Endpoint string  `yaml:"endpoint" doc:"OTLP address over HTTP, such as http://otel-collector:4318. Absent: nothing is recorded."`
	Share    float64 `yaml:"share" default:"1" doc:"Part of the traces that is kept, 0 to 1."`
}

// LimitsConfig bounds what the bridge takes on.
type LimitsConfig struct {
	Workers       int      `yaml:"workers" default:"32" doc:"Orders looked at at the same time."`
	DatabaseConns int      `yaml:"database_connections" default:"16" doc:"Connections to PostgreSQL at most."`
	MaxBody       int64    `yaml:"max_body" default:"2097152" doc:"Largest push taken, in bytes."`
	MaxInFlight   int      `yaml:"max_in_flight" default:"1024" doc:"Pushes taken at the same time; more are asked to come again."`
	RejectsKept   int      `yaml:"rejects_kept" default:"1000" doc:"Refused pushes kept per connection, for looking into."`
	CallTimeout   Duration `yaml:"call_timeout" default:"30s" doc:"Longest time one outside call may take."`
	Lease         Duration `yaml:"lease" default:"2m" doc:"Time after which the work of a process that died is taken up again. Longer than any look at an order takes."`
	BatchGather   Duration `yaml:"batch_gather" default:"5s" doc:"Time the oldest refund or cancellation waits for others to be handed in with it, where the channel takes them in batches."`
	BatchFind     Duration `yaml:"batch_find" default:"30m" doc:"Time a batch whose answer was lost is looked for at the channel, before what it held is held for a person. It is never handed in again."`
	Shutdown      Duration `yaml:"shutdown" default:"45s" doc:"Longest time to finish what is under way when asked to stop."`
}

// APIConfig bounds what the API answers.
type APIConfig struct {
	Rate int `yaml:"rate" default:"1200" doc:"Requests a minute that are answered for one token, or for one peer without a valid token. More get 429."`
}

// RetentionConfig says how long things are kept.
type RetentionConfig struct {
	Deliveries Duration `yaml:"deliveries" default:"30d" doc:"Age at which pushes are deleted. Orders, the ledger and timelines stay."`
	Personal   Duration `yaml:"personal" default:"30d" doc:"Time after delivery (or, where no delivery is known, after the last shipment, the cancellation, or twice this time after the purchase) after which names, addresses and notes of buyers are taken out of what is kept."`
}

// ConnectionConfig is one account at a marketplace or store.
type ConnectionConfig struct {
	ID       string `yaml:"id" required:"true" pattern:"^[a-z0-9][a-z0-9_-]{0,62}$" doc:"Short name. It stands in webhook addresses and in marks on store orders: never change it."`
	Platform string `yaml:"platform" required:"true" enum:"amazon,shopify,generic" doc:"What it is an account of. amazon and generic are sales channels, shopify is a store."`

	Store      string                   `yaml:"store" doc:"Channels: the id of the store connection in which orders are mirrored."`
	Tag        string                   `yaml:"tag" doc:"Channels: tag on mirrored orders. Default: Amazon for amazon, else the connection's id."`
	Tags       []string                 `yaml:"tags" doc:"Channels: further tags on mirrored orders."`
	NamePrefix string                   `yaml:"name_prefix" doc:"Channels: put before the order number in the store."`
	OrderURL   string                   `yaml:"order_url" doc:"Channels: where staff can see an order there; {id} stands for its number. Default for amazon: Seller Central."`
	Stock      string                   `yaml:"stock" enum:"decrement,leave" doc:"Channels: what a mirrored order does to the store's stock. Default: decrement."`
	Carriers   map[string]CarrierConfig `yaml:"carriers" doc:"Channels: carrier names as the store writes them and what the channel calls them, over the built-in table. The key \"\" is used for every other name."`
	SweepEvery Duration                 `yaml:"sweep_every" doc:"Time between two listings of what changed. Default: what the platform allows."`

	Refunds *RefundsConfig `yaml:"refunds" doc:"Channels: how money goes back."`
	Payouts *PayoutsConfig `yaml:"payouts" doc:"Channels: how they pay, and how payouts are held against orders."`

	Amazon  *AmazonConfig  `yaml:"amazon" doc:"Account at Amazon's Selling Partner API."`
	Shopify *ShopifyConfig `yaml:"shopify" doc:"Account at a Shopify store."`
	Generic *GenericConfig `yaml:"generic" doc:"Account at any marketplace that can sign a POST."`
}

// CarrierConfig is a carrier in the channel's words.
type CarrierConfig struct {
	Code string `yaml:"code" required:"true" doc:"The channel's carrier code."`
	Name string `yaml:"name" doc:"The carrier's name, where the code means another carrier."`
}

// AmazonConfig is one seller account in one region.
type AmazonConfig struct {
	SellerID     string      `yaml:"seller_id" required:"true" doc:"Merchant token, beginning with A."`
	Region       string      `yaml:"region" required:"true" enum:"na,eu,fe" doc:"Region of the Selling Partner API."`
	Sites        []string    `yaml:"sites" doc:"Marketplace ids to work on. Default: all the seller takes part in."`
	ClientID     string      `yaml:"client_id" required:"true" doc:"Client id of the application (Login with Amazon)."`
	ClientSecret secret.Text `yaml:"client_secret" required:"true" doc:"Client secret of the application."`
	RefreshToken secret.Text `yaml:"refresh_token" required:"true" doc:"Refresh token of the seller's authorisation."`

	SecretExpires        Date `yaml:"secret_expires" doc:"Day the client secret ends (180 days after it was issued), to be warned in time."`
	AuthorizationExpires Date `yaml:"authorization_expires" doc:"Day the seller's authorisation ends (a year after consent), to be warned in time."`

	Taxes map[string]string `yaml:"taxes" doc:"How refunds write the tax, by marketplace id: left_out (Amazon gives it back itself), inside (added to the amount) or apart. Default: left_out, and inside for Japan."`

	Queue AmazonQueueConfig `yaml:"queue" doc:"SQS queue into which Amazon puts order changes. Without it sweeps bring the news."`
	Pipe  AmazonPipeConfig  `yaml:"pipe" doc:"AWS pipe that posts order changes to /webhooks/{id} instead of the queue being read."`

	Endpoint string `yaml:"endpoint" doc:"Other address of the Selling Partner API, such as a sandbox. Default: the region's."`
	TokenURL string `yaml:"token_url" doc:"Other address of the token service. Default: Amazon's."`
}

// AmazonQueueConfig is the queue Amazon delivers order changes to.
type AmazonQueueConfig struct {
	URL             string      `yaml:"url" doc:"Address of the queue. Set: the bridge reads it."`
	ARN             string      `yaml:"arn" doc:"ARN of the queue. Set: the bridge looks after Amazon's subscription to it."`
	Region          string      `yaml:"region" doc:"AWS region of the queue. Default: read from url."`
	Endpoint        string      `yaml:"endpoint" doc:"Other address of the SQS service. Default: AWS."`
	AccessKeyID     secret.Text `yaml:"access_key_id" doc:"AWS access key. Default: what the machine offers (environment, profile, role)."`
	SecretAccessKey secret.Text `yaml:"secret_access_key" doc:"AWS secret key."`
}

// AmazonPipeConfig is how a pipe proves itself.
type AmazonPipeConfig struct {
	AuthHeader        string      `yaml:"auth_header" doc:"Header in which the pipe proves itself. Default: Authorization."`
	AuthToken         secret.Text `yaml:"auth_token" doc:"Whole value of that header. Absent: posts are refused."`
	AuthTokenPrevious secret.Text `yaml:"auth_token_previous" doc:"Former value, still taken while the pipe is changed over."`
}

// ShopifyConfig is one Shopify store.
type ShopifyConfig struct {
	Shop                 string      `yaml:"shop" required:"true" doc:"The store's permanent domain, such as acme.myshopify.com."`
	ClientID             string      `yaml:"client_id" doc:"Client id of the app. Needed unless access_token is given."`
	ClientSecret         secret.Text `yaml:"client_secret" required:"true" doc:"Client secret of the app; it also signs pushes."`
	ClientSecretPrevious secret.Text `yaml:"client_secret_previous" doc:"Former secret, still taken for pushes while a rotation is under way."`
	PreviousExpires      Date        `yaml:"previous_expires" doc:"Day from which the former secret is not taken any more."`
	AccessToken          secret.Text `yaml:"access_token" doc:"Fixed access token. Default: tokens are asked for with client id and secret."`
	APIVersion           string      `yaml:"api_version" doc:"Quarterly version of the Admin API. Default: the one the bridge was written for."`
	SearchTag            string      `yaml:"search_tag" doc:"Put on every mirrored order; sweeps then ask only for orders with it. Worth it in stores with many orders of their own."`
	OrdersPerMinute      int         `yaml:"orders_per_minute" doc:"Set to 5 for trial and development stores, which take no more. Default: not paced."`
	SettleIn             Duration    `yaml:"settle_in" doc:"Time after which the store's search shows every earlier write; a doubtful create is not repeated before. Default: 2m."`
	Endpoint             string      `yaml:"endpoint" doc:"Other address of the store. Default: https://{shop}."`
}
