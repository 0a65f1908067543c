// Package observe shows what the bridge does: logs, metrics, traces and health. It watches and
// never decides. Nothing it shows holds a secret or personal data.
package observe
