package site

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
)

// isPlaceholder reports a value a template left for a person to fill in.
func isPlaceholder(s string) bool {
	return strings.Contains(s, "待填") || strings.Contains(s, "(fill in")
}

// Unfilled returns the paths below a prefix ("authority") where a template's placeholder still stands. An authority that has
// one was granted by nobody: whoever sends packets has to ask this first.
func Unfilled(f *audit.SiteFile, prefix string) []string {
	var out []string
	walk(f, func(path, s string) {
		if isPlaceholder(s) && (prefix == "" || path == prefix || strings.HasPrefix(path, prefix+".")) {
			out = append(out, path)
		}
	})
	return out
}

// walk calls do for every text of a site file, in the order of its types, with its path.
func walk(f *audit.SiteFile, do func(path, s string)) {
	each(reflect.ValueOf(f), "", func(path string, v any) {
		if s, ok := v.(string); ok {
			do(path, s)
		}
	})
}

// each calls do for every value with a yaml key, and for the items of lists and maps.
func each(v reflect.Value, path string, do func(path string, v any)) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			each(v.Elem(), path, do)
		}
	case reflect.Struct:
		do(path, v.Interface())
		for f := range v.Type().Fields() {
			if key, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); key != "" && key != "-" {
				each(v.FieldByIndex(f.Index), join(path, key), do)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			each(v.Index(i), index(path, i), do)
		}
	case reflect.Map:
		for _, k := range slices.SortedFunc(slices.Values(v.MapKeys()), func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) }) {
			each(v.MapIndex(k), join(path, k.String()), do)
		}
	case reflect.String:
		do(path, v.String())
	}
}

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
