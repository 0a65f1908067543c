package httpapi

import (
	"bytes"
	_ "embed"
	"fmt"
	"sync"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

//go:embed openapi.yaml
var source []byte

// document gives the OpenAPI document as JSON, as it is served.
var document = sync.OnceValues(func() ([]byte, error) {
	out, err := yaml.YAMLToJSON(source)
	return bytes.TrimSpace(out), err
})

const schemaPath = "openapi.json#/components/schemas/"

// bodies are the names of the schemas that bodies of requests are held against.
var bodies = []string{
	"RefundRequest", "CancelRequest", "ReasonRequest", "ApproveRequest", "RemoveRequest",
	"PlanApproval", "PlanHold", "ReplayRequest", "ResolveRequest", "WritesRequest",
	"TariffRequest", "TariffSimulation", "FindingAct", "FindingBulk", "ClaimAct", "MatchRequest", "DepositRequest", "CloseRequest",
	"EventReplay",
}

func bodySchemas(doc []byte) (map[string]*jsonschema.Schema, error) {
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(doc))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("openapi.json", parsed); err != nil {
		return nil, err
	}
	out := map[string]*jsonschema.Schema{}
	for _, name := range bodies {
		if out[name], err = c.Compile(schemaPath + name); err != nil {
			return nil, fmt.Errorf("schema %s: %w", name, err)
		}
	}
	return out, nil
}
