package report

import (
	"reflect"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/clean"
)

const (
	maxText   = 2000 // a sentence of ours, or a quoted provision
	maxString = 160  // anything a device, a site file or a pack calls something
)

// tidy returns a deep copy of a report whose every string is fit to be shown. It walks the types instead of naming the
// fields, so that a field added later cannot be forgotten.
func tidy(r audit.Report) audit.Report {
	return remake(reflect.ValueOf(r), func(s string, long bool) string {
		if long {
			return clean.Text(s, maxText)
		}
		return clean.Text(s, maxString)
	}, false).Interface().(audit.Report)
}

// whole returns a deep copy of a report without nil lists, strings untouched.
func whole(r audit.Report) audit.Report {
	return remake(reflect.ValueOf(r), func(s string, _ bool) string { return s }, false).Interface().(audit.Report)
}

// remake copies v deeply, passes each string through f and turns nil lists into empty ones. Types that keep their state to
// themselves (times, addresses) and raw JSON are copied as they are.
func remake(v reflect.Value, f func(s string, long bool) string, long bool) reflect.Value {
	out := reflect.New(v.Type()).Elem()
	switch v.Kind() {
	case reflect.String:
		out.SetString(f(v.String(), long))
	case reflect.Struct:
		out.Set(v)
		switch v.Type() {
		case reflect.TypeFor[audit.Text](), reflect.TypeFor[audit.RuleText](), reflect.TypeFor[audit.Fact]():
			long = true // sentences, provisions, conditions and values must not lose their end
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				out.Field(i).Set(remake(v.Field(i), f, long))
			}
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return v
		}
		out.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
		for i := range v.Len() {
			out.Index(i).Set(remake(v.Index(i), f, long))
		}
	case reflect.Map:
		out.Set(reflect.MakeMapWithSize(v.Type(), v.Len()))
		for _, k := range v.MapKeys() {
			out.SetMapIndex(remake(k, f, long), remake(v.MapIndex(k), f, long))
		}
	case reflect.Pointer:
		if !v.IsNil() {
			out.Set(reflect.New(v.Type().Elem()))
			out.Elem().Set(remake(v.Elem(), f, long))
		}
	case reflect.Interface:
		if !v.IsNil() {
			out.Set(remake(v.Elem(), f, long))
		}
	default:
		out.Set(v)
	}
	return out
}
