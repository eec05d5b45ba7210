//go:build !linux

package labtest

func alone() (code int, ran bool) { return 0, false }
