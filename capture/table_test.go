package capture

import (
	"testing"

	"pgregory.net/rapid"
)

// TestTable: the table holds what a map holds, whatever is added and removed, with hashes that clash as often as not.
func TestTable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var tab table
		held := map[key]*conn{}
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			k := key{loPort: uint16(rapid.IntRange(0, 60).Draw(t, "key"))}
			hash := uint64(k.loPort%7) << 60 >> uint(k.loPort%3) // few, and far apart
			c := held[k]
			if got := tab.find(&k, hash); got != c {
				t.Fatalf("found %p, want %p", got, c)
			}
			if c == nil {
				c = &conn{key: k, hash: hash}
				tab.add(c)
				held[k] = c
			} else {
				tab.remove(c)
				delete(held, k)
			}
			if tab.used != len(held) {
				t.Fatalf("%d, want %d", tab.used, len(held))
			}
		}
		for k, c := range held {
			if got := tab.find(&k, c.hash); got != c {
				t.Fatalf("lost %v", k)
			}
		}
	})
}

// TestTableGrows: as many as there are.
func TestTableGrows(t *testing.T) {
	var tab table
	var all []*conn
	for i := range 5000 {
		k := key{loPort: uint16(i), hiPort: uint16(i >> 3)}
		c := &conn{key: k, hash: k.hash(7)}
		all = append(all, c)
		tab.add(c)
	}
	for _, c := range all {
		if tab.find(&c.key, c.hash) != c {
			t.Fatal("lost")
		}
	}
	for _, c := range all {
		tab.remove(c)
	}
	if tab.used != 0 || tab.find(&all[0].key, all[0].hash) != nil {
		t.Error("still there")
	}
}
