package verify_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestInsecure(t *testing.T) {
	// Finds each exported name that starts
	// with Insecure, and asks SECURITY.md for it.
	t.Run("every way to weaken a check is in SECURITY.md", func(t *testing.T) {
		text, err := os.ReadFile("../SECURITY.md")
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		for _, folder := range []string{"../verify", "../providers", "../middleware"} {
			err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
				if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
					return err
				}
				file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
				if err != nil {
					return err
				}
				pkg := file.Name.Name
				ask := func(name string) {
					found++
					if !strings.Contains(string(text), "`"+name+"`") {
						t.Errorf("SECURITY.md does not name `%s`", name)
					}
				}
				ast.Inspect(file, func(n ast.Node) bool {
					switch n := n.(type) {
					case *ast.TypeSpec:
						s, ok := n.Type.(*ast.StructType)
						if !ok {
							return true
						}
						for _, field := range s.Fields.List {
							for _, id := range field.Names {
								if strings.HasPrefix(id.Name, "Insecure") {
									ask(pkg + "." + n.Name.Name + "." + id.Name)
								}
							}
						}
					case *ast.ValueSpec:
						for _, id := range n.Names {
							if strings.HasPrefix(id.Name, "Insecure") {
								ask(pkg + "." + id.Name)
							}
						}
					case *ast.FuncDecl:
						if strings.HasPrefix(n.Name.Name, "Insecure") {
							ask(pkg + "." + n.Name.Name)
						}
					}
					return true
				})
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if found < 7 {
			t.Errorf("found %d names, want more: does the test still look at anything?", found)
		}
	})
}
