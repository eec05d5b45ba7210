package site

import (
	_ "embed"
	"slices"
)

//go:embed schema.json
var schemaJSON []byte

// Schema returns the JSON Schema (draft 2020-12) of the site file, for editors. It knows keys, types and vocabularies; what
// refers to something else in the file only Parse knows. It is generated from the types: go test ./site -run Schema -update.
func Schema() []byte { return slices.Clone(schemaJSON) }
