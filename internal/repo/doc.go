// Package repo holds tests of the repository itself: which package may import which, who may open a socket, that every part
// that plugs in is listed, that every sentence exists in both languages. It has no code.
package repo
