package webhooks

import "bytes"

// tooDeep reports whether body nests objects and arrays more than limit deep. It looks at
// brackets outside strings only, allocates nothing and needs no valid JSON: what is not JSON
// is somebody else's finding. Bodies that begin with neither bracket are never too deep.
func tooDeep(body []byte, limit int) bool {
	if !bracketed(body) || bytes.Count(body, []byte{'{'})+bytes.Count(body, []byte{'['}) <= limit {
		return false
	}
	depth := 0
	for i := 0; i < len(body); i++ {
		switch body[i] {
		case '{', '[':
			depth++
			if depth > limit {
				return true
			}
		case '}', ']':
			depth = max(depth-1, 0)
		case '"':
			n := stringEnd(body[i+1:])
			if n < 0 {
				return false
			}
			i += n + 1
		}
	}
	return false
}

// stringEnd returns the offset of the closing quote in what follows an opening one, or -1.
func stringEnd(b []byte) int {
	for from := 0; ; {
		n := bytes.IndexByte(b[from:], '"')
		if n < 0 {
			return -1
		}
		at := from + n
		slashes := 0
		for at-1-slashes >= from && b[at-1-slashes] == '\\' {
			slashes++
		}
		if slashes%2 == 0 {
			return at
		}
		from = at + 1
	}
}

func bracketed(body []byte) bool {
	for _, c := range body {
		switch c {
		case ' ', '\t', '\r', '\n':
		case '{', '[':
			return true
		default:
			return false
		}
	}
	return false
}
