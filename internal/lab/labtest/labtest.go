// Package labtest opens shops in tests. It belongs to tests alone: it is the only part of the lab that imports testing.
package labtest

import (
	"context"
	"testing"

	"github.com/mingshi-audit/mingshi/internal/lab"
)

// Open opens a shop for the length of a test and fails the test for every request a device should not have seen.
func Open(t testing.TB, cfg lab.Config) *lab.Shop {
	t.Helper()
	shop := Watch(t, cfg)
	t.Cleanup(func() {
		if err := shop.Close(); err != nil {
			t.Errorf("closing the shop: %v", err)
		}
		for _, v := range shop.Violations() {
			t.Errorf("a device saw what it should not have: %s", v)
		}
	})
	return shop
}

// Watch opens a shop for the length of a test and holds nothing against it: for tests of the lab, and of clients that are not
// ours.
func Watch(t testing.TB, cfg lab.Config) *lab.Shop {
	t.Helper()
	// The shop outlives the test's context, so that what a client holds can be released in the client's own cleanup.
	shop, err := lab.Open(context.WithoutCancel(t.Context()), cfg)
	if err != nil {
		t.Fatalf("opening the shop: %v", err)
	}
	t.Cleanup(func() { shop.Close() })
	return shop
}
