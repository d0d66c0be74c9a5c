package signer_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestApart(t *testing.T) {
	// Of this module the signer knows the definition
	// alone, by its types and constants, and it calls no function of the engine's package
	// and no method, but for the two that read a part.
	t.Run("the signer shares no code with the engine", func(t *testing.T) {
		data := []string{
			"Definition", "Signature", "Timestamp", "Secret", "Part", "Hex", "Base64", "HMACSHA256", "HMACSHA512", "InsecureHMACSHA1", "Base64Secret",
			"Ed25519", "ECDSAP256SHA256", "RSASHA256", "RSADoubleSHA256", "Algorithm", "Encoding",
			"UpperHex", "Base64URL", "RawBase64URL", "TextSecret", "HexSecret", "RFC3339", "ISO8601", "MethodPart",
			"InsecureSHA256", "InsecureSHA1", "BodySHA256Part", "SecretPart",
			"Seconds", "Milliseconds", "LiteralPart", "TimePart", "FieldPart", "URLPart", "BodyPart",
		}
		methods := slices.DeleteFunc(engineMethods(t), func(name string) bool { return name == "Kind" || name == "Text" || name == "Hash" })
		if !slices.Contains(methods, "Describe") || !slices.Contains(methods, "Clone") {
			t.Fatalf("the engine's methods are %q: does the test still look at anything?", methods)
		}
		const module = "github.com/hooknotary/hooknotary/"
		used := 0
		for _, f := range parsed(t, ".") {
			for _, i := range f.Imports {
				path := strings.Trim(i.Path.Value, `"`)
				if strings.Contains(path, ".") && path != module+"providers/scheme" || path == "testing" || i.Name != nil {
					t.Errorf("the signer imports %s", path)
				}
			}
			ast.Inspect(f, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.CallExpr:
					if s, ok := n.Fun.(*ast.SelectorExpr); ok && slices.Contains(methods, s.Sel.Name) {
						t.Errorf("the signer calls %s, which is a method of the engine's", s.Sel.Name)
					}
				case *ast.SelectorExpr:
					if x, ok := n.X.(*ast.Ident); ok && x.Name == "scheme" {
						used++
						if !slices.Contains(data, n.Sel.Name) {
							t.Errorf("the signer uses scheme.%s, which is no data", n.Sel.Name)
						}
					}
				}
				return true
			})
		}
		if used < len(data) {
			t.Errorf("the signer uses scheme %d times: does the test still look at anything?", used)
		}
	})
}

// parsed returns the files of a folder's package, without its tests.
func parsed(t *testing.T, dir string) []*ast.File {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	return files
}

// engineMethods returns the names of the exported methods of the engine's package.
func engineMethods(t *testing.T) []string {
	t.Helper()
	var names []string
	for _, f := range parsed(t, "../../scheme") {
		for _, d := range f.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv != nil && f.Name.IsExported() {
				names = append(names, f.Name.Name)
			}
		}
	}
	return names
}
