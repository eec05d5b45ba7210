//go:build !windows

package main

// systemLocale: outside Windows the environment is the setting.
func systemLocale() string { return "" }
