package capture

// table finds conversations by their keys. It is a hash table with open addressing that keeps nothing but a number and a pointer of
// each: that of a busy network fits into a near cache, and one look costs one line of it.
type table struct {
	slots []slot
	used  int
}

type slot struct {
	hash uint64
	c    *conn
}

const leastSlots = 1 << 10

// find returns the conversation of a key, nil where there is none.
func (t *table) find(k *key, hash uint64) *conn {
	if t.used == 0 {
		return nil
	}
	mask := uint64(len(t.slots) - 1)
	for i := hash & mask; t.slots[i].c != nil; i = (i + 1) & mask {
		if s := &t.slots[i]; s.hash == hash && s.c.key == *k {
			return s.c
		}
	}
	return nil
}

// add takes a conversation whose key is not there yet.
func (t *table) add(c *conn) {
	if 2*(t.used+1) > len(t.slots) {
		t.grow()
	}
	t.put(slot{c.hash, c})
	t.used++
}

func (t *table) put(s slot) {
	mask := uint64(len(t.slots) - 1)
	i := s.hash & mask
	for t.slots[i].c != nil {
		i = (i + 1) & mask
	}
	t.slots[i] = s
}

func (t *table) grow() {
	old := t.slots
	t.slots = make([]slot, max(leastSlots, 2*len(old)))
	for _, s := range old {
		if s.c != nil {
			t.put(s)
		}
	}
}

// remove takes a conversation out, and moves up those behind it that would no longer be found.
func (t *table) remove(c *conn) {
	mask := uint64(len(t.slots) - 1)
	i := c.hash & mask
	for t.slots[i].c != c {
		i = (i + 1) & mask
	}
	for j := i; ; {
		t.slots[i] = slot{}
		for {
			j = (j + 1) & mask
			if t.slots[j].c == nil {
				t.used--
				return
			}
			if home := t.slots[j].hash & mask; (j-home)&mask >= (j-i)&mask {
				break
			}
		}
		t.slots[i] = t.slots[j]
		i = j
	}
}
