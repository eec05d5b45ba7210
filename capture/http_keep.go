package capture

// keep holds bytes of something incomplete, out of the engine's budget. Its zero value is ready; who drops it last has to call
// drop.
type keep struct{ b []byte }

// add appends, and reports whether there was room: neither more than limit nor than the budget has.
func (k *keep) add(c *conn, b []byte, limit int) bool {
	need := len(k.b) + len(b)
	if need > limit {
		return false
	}
	if need > cap(k.b) {
		size := min(max(need, 2*cap(k.b), 512), max(limit, need))
		if !c.reserve(size - cap(k.b)) {
			return false
		}
		k.b = append(make([]byte, 0, size), k.b...)
	}
	k.b = append(k.b, b...)
	return true
}

// fill appends what fits, and reports whether that was all.
func (k *keep) fill(c *conn, b []byte, limit int) bool {
	fits := b[:max(0, min(len(b), limit-len(k.b)))]
	return k.add(c, fits, limit) && len(fits) == len(b)
}

// clear empties what will be used again soon; what is large is given back.
func (k *keep) clear(c *conn) {
	if k.b = k.b[:0]; cap(k.b) > 2<<10 {
		k.drop(c)
	}
}

func (k *keep) drop(c *conn) {
	if cap(k.b) > 0 {
		c.release(cap(k.b))
	}
	k.b = nil
}
