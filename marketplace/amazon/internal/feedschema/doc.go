// Package feedschema checks order feeds against what is known of Amazon's XML schemas: the order
// of elements, how often they occur, their values, and the rules about amounts. It is written
// from Amazon's help pages and guides, not from the adapter, so that one can find the other's
// mistakes. Tests and the fake use it.
package feedschema
