// Package interop holds the tests of evidence against tools of other people: sha256sum, openssl, unzip and warcio. It
// exports nothing.
package interop
