package signer_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strings"
	"testing"
)

func TestApart(t *testing.T) {
	// Of this module the signer knows the definition
	// alone, by its types and constants, and it calls no function of the engine's package.
	t.Run("the signer shares no code with the engine", func(t *testing.T) {
		data := []string{
			"Definition", "Signature", "Timestamp", "Secret", "Part", "Hex", "Base64", "SHA256", "SHA512", "InsecureSHA1",
			"Seconds", "Milliseconds", "LiteralPart", "TimePart", "FieldPart", "URLPart", "BodyPart",
		}
		f, err := parser.ParseFile(token.NewFileSet(), "signer.go", nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		const module = "github.com/hooknotary/hooknotary/"
		for _, i := range f.Imports {
			path := strings.Trim(i.Path.Value, `"`)
			if strings.Contains(path, ".") && path != module+"providers/scheme" || path == "testing" {
				t.Errorf("the signer imports %s", path)
			}
		}
		used := 0
		ast.Inspect(f, func(n ast.Node) bool {
			s, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if x, ok := s.X.(*ast.Ident); ok && x.Name == "scheme" {
				used++
				if !slices.Contains(data, s.Sel.Name) {
					t.Errorf("the signer uses scheme.%s, which is no data", s.Sel.Name)
				}
			}
			return true
		})
		if used < len(data) {
			t.Errorf("the signer uses scheme %d times: does the test still look at anything?", used)
		}
	})
}
