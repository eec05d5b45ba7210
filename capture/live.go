package capture

import "errors"

// Why an interface cannot be listened on. OpenInterface wraps one of them.
var (
	ErrNotHere     = errors.New("this system lets no program listen without a driver") // all but Linux: a capture file can be had there by other programs
	ErrNoRight     = errors.New("the right to listen is missing")                      // Linux: CAP_NET_RAW
	ErrNoInterface = errors.New("there is no such interface")
	ErrDown        = errors.New("the interface is down")
	ErrLink        = errors.New("the interface carries neither Ethernet nor IP")
)
