package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"

	"github.com/goccy/go-yaml"
)

// defaultConfig is read when nobody names another file; it need not exist.
const defaultConfig = "./channelbridge.yaml"

// loadConfig reads the file at path, or the default one when path is empty, and reports
// everything that is wrong with it at once.
func loadConfig(path string, env func(string) (string, bool)) (*Config, error) {
	named := path
	if named == "" {
		path = defaultConfig
	}
	raw, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && named == "":
		path, raw = "environment and defaults", nil
	case err != nil:
		return nil, &ConfigError{[]Fault{{Where: path, Text: "the configuration file cannot be read: " + cause(err)}}}
	}
	return parseConfig(path, raw, env)
}

// cause is an error without the path that stands beside it.
func cause(err error) string {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return pe.Err.Error()
	}
	return err.Error()
}

// parseConfig reads a whole configuration.
func parseConfig(file string, raw []byte, env func(string) (string, bool)) (*Config, error) {
	c := &Config{}
	d := newDecoder(file, raw, env)
	if d.read(raw, c) {
		c.derive()
		c.check(d)
	}
	return c, d.err()
}

// parseConnection reads one connection, as "connections add" takes it.
func parseConnection(file string, raw []byte, env func(string) (string, bool)) (ConnectionConfig, error) {
	return readConnection(newDecoder(file, raw, env), raw)
}

// parseStored reads one connection as the database keeps it: references were filled in before.
func parseStored(id string, raw []byte) (ConnectionConfig, error) {
	d := newDecoder("stored connection "+id, raw, noEnv)
	d.literal, d.quiet = true, true
	return readConnection(d, raw)
}

func readConnection(d *decoder, raw []byte) (ConnectionConfig, error) {
	var c ConnectionConfig
	if d.read(raw, &c) {
		c.derive()
		c.check(d, "")
	}
	return c, d.err()
}

// derive fills in what follows from other fields.
func (c *Config) derive() {
	if c.DatabaseURL == "" {
		c.DatabaseURL = databaseURL("sqlite:" + filepath.Join(c.DataDir, "channelbridge.db"))
	}
	if c.KeyFile == "" {
		c.KeyFile = filepath.Join(c.DataDir, "channelbridge.key")
	}
	for i := range c.Connections {
		c.Connections[i].derive()
	}
}

// masked is the effective configuration as YAML, without secrets.
func (c *Config) masked() (string, error) {
	out, err := yaml.MarshalWithOptions(plain(reflect.ValueOf(*c), false), yaml.IndentSequence(true))
	if err != nil {
		return "", fmt.Errorf("printing the configuration: %w", err)
	}
	return string(out), nil
}

func noEnv(string) (string, bool) { return "", false }

// revealed is a connection with its secrets, to be sealed.
func (c ConnectionConfig) revealed() ([]byte, error) {
	return yaml.MarshalWithOptions(plain(reflect.ValueOf(c), true), yaml.JSON())
}
