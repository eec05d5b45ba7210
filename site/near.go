package site

import (
	"slices"
	"strings"
)

// nearest returns the word of the list that s is most likely a slip for, or "".
func nearest(s string, words []string) string {
	norm := func(x string) string {
		return strings.Map(func(r rune) rune {
			if r == '-' || r == ' ' {
				return '_'
			}
			return r
		}, strings.ToLower(x))
	}
	s = norm(s)
	best, bestD := "", 1+max(1, min(3, len([]rune(s))/3))
	for _, w := range slices.Sorted(slices.Values(words)) {
		if d := distance(s, norm(w)); d < bestD {
			best, bestD = w, d
		}
	}
	if best != "" || len(s) < 4 {
		return best
	}
	for _, w := range words { // "shopping_mall" for "mall"
		if n := norm(w); len(w) >= 4 && len(w) > len(best) && (strings.Contains(s, n) || strings.Contains(n, s)) {
			best = w
		}
	}
	return best
}

// distance is the number of insertions, deletions, substitutions and swaps of neighbours that turn a into b.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	if len(x) > 40 {
		x = x[:40] // no word of ours is longer; keeps hostile keys cheap
	}
	before, prev, cur := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := range x {
		cur[0] = i + 1
		for j := range y {
			cost := 1
			if x[i] == y[j] {
				cost = 0
			}
			cur[j+1] = min(prev[j+1]+1, cur[j]+1, prev[j]+cost)
			if i > 0 && j > 0 && x[i] == y[j-1] && x[i-1] == y[j] {
				cur[j+1] = min(cur[j+1], before[j-1]+1)
			}
		}
		before, prev, cur = prev, cur, before
	}
	return prev[len(y)]
}
