package main

import "strings"

// language returns the language to speak before flags are parsed: --lang, then MINGSHI_LANG, then the locale of the
// environment, then the system's own setting, then English.
func language(args []string, env func(string) (string, bool)) string {
	for i, a := range args {
		if v, ok := strings.CutPrefix(a, "--lang="); ok {
			return v
		}
		if a == "--lang" && i+1 < len(args) {
			return args[i+1]
		}
	}
	for _, name := range []string{"MINGSHI_LANG", "LC_ALL", "LC_MESSAGES", "LANG"} {
		if v, ok := env(name); ok && v != "" {
			return languageOf(v)
		}
	}
	return languageOf(systemLocale())
}

func languageOf(locale string) string {
	if strings.HasPrefix(strings.ToLower(locale), "zh") {
		return "zh"
	}
	return "en"
}

// known reports whether a name of a language, or of a locale, is one the program speaks.
func known(lang string) bool {
	base, _, _ := strings.Cut(strings.ReplaceAll(strings.ToLower(lang), "_", "-"), "-")
	return base == "zh" || base == "en"
}
