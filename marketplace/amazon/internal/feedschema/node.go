package feedschema

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Node is one element of a document.
type Node struct {
	Name     string
	Attrs    map[string]string
	Text     string // trimmed; empty for elements with children
	Children []*Node
}

// Child is the first child of a name, or nil.
func (n *Node) Child(name string) *Node {
	for _, c := range n.Children {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// Value is the text of a child; empty when there is none.
func (n *Node) Value(name string) string {
	if c := n.Child(name); c != nil {
		return c.Text
	}
	return ""
}

// All are the children of a name.
func (n *Node) All(name string) (all []*Node) {
	for _, c := range n.Children {
		if c.Name == name {
			all = append(all, c)
		}
	}
	return all
}

// Parse reads a document into nodes.
func Parse(raw []byte) (*Node, error) {
	d := xml.NewDecoder(bytes.NewReader(raw))
	root := &Node{}
	stack := []*Node{root}
	for {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		top := stack[len(stack)-1]
		switch t := token.(type) {
		case xml.StartElement:
			n := &Node{Name: t.Name.Local, Attrs: map[string]string{}}
			for _, a := range t.Attr {
				n.Attrs[a.Name.Local] = a.Value
			}
			top.Children = append(top.Children, n)
			stack = append(stack, n)
		case xml.EndElement:
			top.Text = strings.TrimSpace(top.Text)
			if len(top.Children) > 0 && top.Text != "" {
				return nil, fmt.Errorf("%s: text %q between elements", top.Name, top.Text)
			}
			stack = stack[:len(stack)-1]
		case xml.CharData:
			top.Text += string(t)
		}
	}
	if len(root.Children) != 1 {
		return nil, errors.New("a document has one root element")
	}
	return root.Children[0], nil
}
