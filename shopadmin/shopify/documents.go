package shopify

// document is one GraphQL operation. The text names exactly one operation, called name.
type document struct {
	name     string
	text     string
	mutation bool
	cost     float64 // requested cost assumed until the store has told the real one
}

// Sizes of the nested lists in one order. Most orders fit; the rest is paged by complete.
const trackingLimit = 10

const fragments = `
fragment LineFields on LineItem {
  id sku title quantity currentQuantity unfulfilledQuantity
  customAttributes { key value }
}
fragment FulfillmentFields on Fulfillment {
  id name status createdAt updatedAt
  trackingInfo(first: 10) { company number url }
  fulfillmentLineItems(first: 10) {
    nodes { quantity lineItem { id } }
    pageInfo { hasNextPage endCursor }
  }
}
fragment HoldFields on FulfillmentOrder {
  id status
  supportedActions { action }
  fulfillmentHolds { id handle heldByRequestingApp reason reasonNotes }
}
fragment OrderFields on Order {
  id name createdAt updatedAt cancelledAt cancelReason test tags note sourceIdentifier
  displayFinancialStatus displayFulfillmentStatus
  customAttributes { key value }
  mark: metafield(namespace: $ns, key: $key) { value }
  totalPriceSet { shopMoney { amount currencyCode } }
  lineItems(first: 20) { nodes { ...LineFields } pageInfo { hasNextPage endCursor } }
  fulfillmentsCount { count }
  fulfillments(first: 3) { ...FulfillmentFields }
  fulfillmentOrders(first: 5) { nodes { ...HoldFields } pageInfo { hasNextPage endCursor } }
  transactionsCount { count }
  transactions(first: 3) { ...TransactionFields }
  refunds(first: 5) { id }
}
` + transactionFields

var (
	docOrder = document{name: "Order", cost: 200, text: `
query Order($id: ID!, $ns: String!, $key: String!) {
  order(id: $id) { ...OrderFields }
}` + fragments}

	docOrders = document{name: "Orders", cost: 790, text: `
query Orders($ids: [ID!]!, $ns: String!, $key: String!) {
  nodes(ids: $ids) { ... on Order { ...OrderFields } }
}` + fragments}

	docOrderByMark = document{name: "OrderByMark", cost: 200, text: `
query OrderByMark($ns: String!, $key: String!, $value: String!) {
  orderByIdentifier(identifier: { customId: { namespace: $ns, key: $key, value: $value } }) { ...OrderFields }
}` + fragments}

	docSearchOrders = document{name: "SearchOrders", cost: 160, text: `
query SearchOrders($query: String!, $first: Int!, $after: String, $ns: String!, $key: String!) {
  orders(first: $first, after: $after, query: $query, sortKey: UPDATED_AT) {
    nodes {
      id updatedAt sourceIdentifier
      customAttributes { key value }
      mark: metafield(namespace: $ns, key: $key) { value }
    }
    pageInfo { hasNextPage endCursor }
  }
}`}

	docOrderLines = document{name: "OrderLines", cost: 200, text: `
query OrderLines($id: ID!, $after: String) {
  order(id: $id) {
    lineItems(first: 100, after: $after) { nodes { ...LineFields } pageInfo { hasNextPage endCursor } }
  }
}
fragment LineFields on LineItem {
  id sku title quantity currentQuantity unfulfilledQuantity
  customAttributes { key value }
}`}

	docFulfillmentIDs = document{name: "FulfillmentIDs", cost: 250, text: `
query FulfillmentIDs($id: ID!) {
  order(id: $id) { fulfillments(first: 250) { id } }
}`}

	docFulfillments = document{name: "Fulfillments", cost: 350, text: `
query Fulfillments($ids: [ID!]!) {
  nodes(ids: $ids) { ... on Fulfillment { ...FulfillmentFields } }
}
fragment FulfillmentFields on Fulfillment {
  id name status createdAt updatedAt
  trackingInfo(first: 10) { company number url }
  fulfillmentLineItems(first: 10) {
    nodes { quantity lineItem { id } }
    pageInfo { hasNextPage endCursor }
  }
}`}

	docFulfillmentLines = document{name: "FulfillmentLines", cost: 350, text: `
query FulfillmentLines($id: ID!, $after: String) {
  fulfillment(id: $id) {
    trackingInfo(first: 100) { company number url }
    fulfillmentLineItems(first: 100, after: $after) {
      nodes { quantity lineItem { id } }
      pageInfo { hasNextPage endCursor }
    }
  }
}`}

	docOrderHolds = document{name: "OrderHolds", cost: 150, text: `
query OrderHolds($id: ID!, $after: String) {
  order(id: $id) {
    fulfillmentOrders(first: 50, after: $after) { nodes { ...HoldFields } pageInfo { hasNextPage endCursor } }
  }
}
fragment HoldFields on FulfillmentOrder {
  id status
  supportedActions { action }
  fulfillmentHolds { id handle heldByRequestingApp reason reasonNotes }
}`}

	docOrderAttributes = document{name: "OrderAttributes", cost: 5, text: `
query OrderAttributes($id: ID!) {
  order(id: $id) { tags note customAttributes { key value } }
}`}

	docVariants = document{name: "Variants", cost: 60, text: `
query Variants($query: String!, $after: String) {
  productVariants(first: 50, query: $query, after: $after) {
    nodes { id sku }
    pageInfo { hasNextPage endCursor }
  }
}`}

	docAppState = document{name: "AppState", cost: 20, text: `
query AppState {
  currentAppInstallation { accessScopes { handle } }
  shop { name myshopifyDomain currencyCode ianaTimezone }
}`}

	docSubscriptions = document{name: "Subscriptions", cost: 120, text: `
query Subscriptions($after: String) {
  webhookSubscriptions(first: 100, after: $after) {
    nodes { id topic uri filter includeFields format }
    pageInfo { hasNextPage endCursor }
  }
}`}
)

var (
	docCreateOrder = document{name: "CreateOrder", mutation: true, cost: 200, text: `
mutation CreateOrder($order: OrderCreateOrderInput!, $options: OrderCreateOptionsInput, $ns: String!, $key: String!) {
  orderCreate(order: $order, options: $options) {
    order { ...OrderFields }
    userErrors { code field message }
  }
}` + fragments}

	docUpdateOrder = document{name: "UpdateOrder", mutation: true, cost: 10, text: `
mutation UpdateOrder($input: OrderInput!) {
  orderUpdate(input: $input) { order { id } userErrors { field message } }
}`}

	docAddTags = document{name: "AddTags", mutation: true, cost: 10, text: `
mutation AddTags($id: ID!, $tags: [String!]!) {
  tagsAdd(id: $id, tags: $tags) { userErrors { field message } }
}`}

	docHold = document{name: "HoldFulfillmentOrder", mutation: true, cost: 10, text: `
mutation HoldFulfillmentOrder($id: ID!, $hold: FulfillmentOrderHoldInput!) {
  fulfillmentOrderHold(id: $id, fulfillmentHold: $hold) {
    fulfillmentHold { id }
    userErrors { code field message }
  }
}`}

	docDefineMark = document{name: "DefineMark", mutation: true, cost: 10, text: `
mutation DefineMark($definition: MetafieldDefinitionInput!) {
  metafieldDefinitionCreate(definition: $definition) {
    createdDefinition { id }
    userErrors { code field message }
  }
}`}

	docSubscribe = document{name: "Subscribe", mutation: true, cost: 10, text: `
mutation Subscribe($topic: WebhookSubscriptionTopic!, $sub: WebhookSubscriptionInput!) {
  webhookSubscriptionCreate(topic: $topic, webhookSubscription: $sub) {
    webhookSubscription { id }
    userErrors { field message }
  }
}`}

	docUnsubscribe = document{name: "Unsubscribe", mutation: true, cost: 10, text: `
mutation Unsubscribe($id: ID!) {
  webhookSubscriptionDelete(id: $id) {
    deletedWebhookSubscriptionId
    userErrors { field message }
  }
}`}
)

// documents is every operation this package sends, for the tests that hold them against schemas.
func documents() []document {
	return []document{
		docOrder, docOrders, docOrderByMark, docSearchOrders, docOrderLines, docFulfillmentIDs,
		docFulfillments, docFulfillmentLines, docOrderHolds, docOrderAttributes, docVariants,
		docAppState, docSubscriptions, docCreateOrder, docUpdateOrder, docAddTags, docHold,
		docDefineMark, docSubscribe, docUnsubscribe, docRefundIDs, docRefunds, docRefundLines,
		docRefundShipping, docRefundTransactions, docTransactions, docRefundBasis, docPlaces,
		docCancelState, docCancelResult, docRefund, docCancel,
	}
}
