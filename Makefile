.DEFAULT_GOAL := help
GO ?= go
SEEDS ?= 100000
SEQUENCES ?= 1000000

.PHONY: help demo test check build bench soak fuzz generate

help: ## this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

build: ## the program, as ./bin/channelbridge
	$(GO) build -trimpath -o bin/channelbridge ./cmd/channelbridge

demo: build ## the main job, played with a fake Amazon and a fake store; ends by itself
	./bin/channelbridge demo

test: ## everything: unit, storage on SQLite and PostgreSQL, simulation, fuzz seeds, real processes; raced but for the simulation and the kill tests
	$(GO) vet ./...
	GOGC=400 $(GO) test -race -timeout 15m $$($(GO) list ./... | grep -vE '/(connector/sim|e2e/kill)$$')
	GOGC=400 $(GO) test -timeout 15m -p 1 ./connector/sim ./internal/e2e/kill # worlds of one goroutine, and processes: the detector would see nothing

check: test ## what the gate runs

bench: ## speed, as ratios measured in one run (see docs/benchmarks.md)
	$(GO) run ./internal/e2e/bench

soak: ## long runs: many seeds, many sequences of refunds, many kills, fuzzing (hours)
	GOGC=400 $(GO) test -timeout 24h ./connector/sim -run 'TestSeeds' -seeds $(SEEDS) -v
	$(GO) test -timeout 24h ./connector/order -run 'TestMoneyProperty' -rapid.checks $(SEQUENCES) -v
	$(GO) test -timeout 24h ./connector/payout -run 'TestPayoutProperty' -rapid.checks $(SEQUENCES) -v
	GOGC=400 $(GO) test -timeout 24h ./connector/sim -run 'TestTheChannelPaysOut' -paid 10000 -v
	$(GO) test -timeout 24h ./internal/e2e/kill -deliveries 1000000 -kills 100 -v
	$(MAKE) fuzz FUZZTIME=10m

FUZZTIME ?= 30s
fuzz: ## every fuzz target for FUZZTIME
	@for p in $$($(GO) list ./...); do \
	  for f in $$($(GO) test -list '^Fuzz' $$p | grep ^Fuzz || true); do \
	    echo "$$p $$f"; $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) $$p || exit 1; \
	  done; \
	done

generate: ## rewrite generated documents
	$(GO) test ./cmd/channelbridge -run 'Schema|Generated' -update
