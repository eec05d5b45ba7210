package lab

import (
	"net/netip"
	"time"
)

// startZK listens as a terminal does: it says nothing by itself, and whatever it is told would open a session.
func (d *device) startZK(host netip.Addr) error {
	ln, err := d.listen(host, 4370, func(string) { d.violated("was told something on its port for terminals") })
	if err != nil {
		return err
	}
	d.makers.closers = append(d.makers.closers, ln)
	d.wg.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			d.saw("TCP 4370", LoginNone)
			d.wg.Go(func() {
				defer c.Close()
				c.SetReadDeadline(time.Now().Add(10 * time.Second))
				c.Read(make([]byte, 64)) //nolint:errcheck // it only waits for the end, and the listener looks at the rest
			})
		}
	})
	return nil
}
