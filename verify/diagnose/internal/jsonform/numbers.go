package jsonform

import (
	"iter"
	"math"
	"strconv"
	"strings"
)

const (
	maxNumbers = 4096 // different ones of a document that are looked at
	maxSingles = 48   // that are changed alone
	maxSubset  = 10   // integers of which every subset is tried
	maxExpand  = 400  // digits that an exponent may stand for
)

// Numbers returns the different numbers of a document as they are written, in the order
// of the first of each.
func (d *Document) Numbers() []string {
	var all []string
	seen := make(map[string]bool)
	for _, t := range d.tokens {
		if t.kind != '0' || seen[string(d.bytes(t))] {
			continue
		}
		if len(all) == maxNumbers {
			break
		}
		s := string(d.bytes(t))
		seen[s] = true
		all = append(all, s)
	}
	return all
}

// rewrites are ways in which encoders write all numbers of a document.
var rewrites = [...]func(string) string{
	withoutFraction, withoutZeros, withTwoDecimals, withFraction,
	withoutExponent, withoutPlus, withPlus, strings.ToUpper, strings.ToLower, withShortExponent, withLongExponent,
}

// uniform returns what becomes of the numbers in each of the rewrites, where it changes
// anything.
func uniform(numbers []string) []map[string]string {
	var plans []map[string]string
	for _, rewrite := range rewrites {
		plan := make(map[string]string)
		for _, s := range numbers {
			if other := rewrite(s); other != s {
				plan[s] = other
			}
		}
		if len(plan) > 0 {
			plans = append(plans, plan)
		}
	}
	return plans
}

// guesses yields changes of some numbers only: of each one alone, of every subset of a
// few integers that may have had a fraction of zero, and of one large integer that went
// through a float64. Those are of all numbers that are written alike; then it yields
// changes of single ones among them. It sets bounded if it left any out.
func (d *Document) guesses(numbers []string, bounded *bool) iter.Seq[func(*form)] {
	return func(yield func(func(*form)) bool) {
		for plan := range alike(numbers, bounded) {
			if !yield(func(f *form) { f.numbers = plan }) {
				return
			}
		}
		repeated := d.repeated()
		*bounded = *bounded || len(repeated) > maxSubset
		for plan := range subsetsOf(repeated) {
			for _, zeros := range [...]string{".0", ".00"} {
				if !yield(func(f *form) {
					f.fraction = make(map[uint32]string)
					for start := range plan {
						f.fraction[start] = zeros
					}
				}) {
					return
				}
			}
		}
	}
}

// repeated returns where the integers stand that a document with one that repeats
// another holds, up to a bound: all of them, if they are few enough for every subset,
// or else those that are written like another one.
func (d *Document) repeated() []uint32 {
	times := make(map[string]int)
	var all, some []uint32
	for _, t := range d.tokens {
		if s := string(d.bytes(t)); t.kind == '0' && IsInteger(s) && len(all) < maxNumbers {
			times[s]++
			all = append(all, t.start)
		}
	}
	at := 0
	for _, t := range d.tokens {
		if at < len(all) && t.kind == '0' && t.start == all[at] {
			if at++; times[string(d.bytes(t))] > 1 {
				some = append(some, t.start)
			}
		}
	}
	if len(some) > 0 && len(all) <= maxSubset {
		return all
	}
	return some
}

// alike yields changes of all numbers that are written alike.
func alike(numbers []string, bounded *bool) iter.Seq[map[string]string] {
	return func(yield func(map[string]string) bool) {
		*bounded = len(numbers) > maxSingles
		for _, s := range numbers[:min(len(numbers), maxSingles)] {
			for _, other := range spellings(s) {
				if !yield(map[string]string{s: other}) {
					return
				}
			}
		}
		if !subsets(numbers, bounded, yield) {
			return
		}
		large, n := "", 0
		for _, s := range numbers {
			if _, _, ok := Rounded(s); ok {
				large = s
				n++
			}
		}
		if n != 1 { // the product of several is too large
			*bounded = *bounded || n > 1
			return
		}
		from, to, _ := Rounded(large)
		for i := from; i <= to; i++ {
			if other := strconv.FormatInt(i, 10); other != large && !yield(map[string]string{large: other}) {
				return
			}
		}
	}
}

// subsets yields ".0" and ".00" for every subset of the integers, if they are few.
func subsets(numbers []string, bounded *bool, yield func(map[string]string) bool) bool {
	var integers []string
	for _, s := range numbers {
		if IsInteger(s) {
			integers = append(integers, s)
		}
	}
	if len(integers) > maxSubset {
		*bounded = true
		return true
	}
	for set := 1; set < 1<<len(integers); set++ {
		one, two := make(map[string]string), make(map[string]string)
		for _, s := range numbers {
			if other := withTwoDecimals(s); other != s {
				two[s] = other
			}
		}
		for i, s := range integers {
			if set>>i&1 == 1 {
				one[s], two[s] = s+".0", s+".00"
			}
		}
		if !yield(one) || !yield(two) {
			return false
		}
	}
	return true
}

// Rounded returns the integers that become the number s when they go through a float64,
// if s looks as if one did.
func Rounded(s string) (from, to int64, ok bool) {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) < 1<<53 || math.Abs(f) >= 1<<62 {
		return 0, 0, false
	}
	if IsInteger(s) && strconv.FormatFloat(f, 'f', -1, 64) != s {
		return 0, 0, false
	}
	half := int64(math.Nextafter(math.Abs(f), math.Inf(1))-math.Abs(f)) / 2
	return int64(f) - half, int64(f) + half, true
}

// spellings returns other ways to write a number.
func spellings(s string) []string {
	whole, fraction, isDecimal := strings.Cut(s, ".")
	if !IsInteger(whole) || isDecimal && !isDigits(fraction) {
		return nil // it has an exponent: see rewrites
	}
	if isDecimal {
		return append([]string{s + "0", s + "00", withoutFraction(s), withoutZeros(s)}, scientific(whole, fraction)...)
	}
	return append([]string{s + ".0", s + ".00"}, scientific(whole, "")...)
}

// scientific returns a number as encoders write it with an exponent.
func scientific(whole, fraction string) []string {
	sign := ""
	if strings.HasPrefix(whole, "-") {
		sign, whole = "-", whole[1:]
	}
	digits := strings.TrimLeft(whole+fraction, "0")
	exponent := len(digits) - 1 - len(fraction)
	digits = strings.TrimRight(digits, "0")
	if digits == "" || exponent == 0 {
		return nil
	}
	mantissas := []string{digits[:1] + ".0"}
	if len(digits) > 1 {
		mantissas[0] = digits[:1] + "." + digits[1:]
	} else {
		mantissas = append(mantissas, digits)
	}
	if whole := exponent - len(digits) + 1; whole > 0 && len(digits) > 1 {
		mantissas = append(mantissas, digits) // 15e2
	}
	var all []string
	for _, m := range mantissas {
		n := exponent
		if !strings.Contains(m, ".") {
			n -= len(m) - 1
		}
		for _, e := range [...]string{"e", "E"} {
			text := sign + m + e + strconv.Itoa(n)
			all = append(all, text)
			if n > 0 {
				all = append(all, withPlus(text))
			}
			if n > -10 && n < 10 {
				all = append(all, withLongExponent(withPlus(text)))
			}
		}
	}
	return all
}

func isDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

func IsInteger(s string) bool { return isDigits(strings.TrimPrefix(s, "-")) }

// withoutFraction cuts a fraction of zero: 1.0 becomes 1.
func withoutFraction(s string) string {
	if whole, fraction, ok := strings.Cut(s, "."); ok && isDigits(fraction) && strings.Trim(fraction, "0") == "" {
		return whole
	}
	return s
}

// withoutZeros cuts zeros at the end of a fraction: 1.50 becomes 1.5, and 1.0 becomes 1.
func withoutZeros(s string) string {
	if _, fraction, ok := strings.Cut(s, "."); ok && isDigits(fraction) {
		return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
	}
	return s
}

// withTwoDecimals makes 1.50 of 1.5.
func withTwoDecimals(s string) string {
	if _, fraction, ok := strings.Cut(s, "."); ok && isDigits(fraction) && len(fraction) == 1 {
		return s + "0"
	}
	return s
}

// withFraction makes 1.0 of 1.
func withFraction(s string) string {
	if IsInteger(s) {
		return s + ".0"
	}
	return s
}

// cutExponent splits a number at its exponent, which keeps the sign.
func cutExponent(s string) (mantissa, e, exponent string, ok bool) {
	i := strings.IndexAny(s, "eE")
	if i < 0 || i+1 == len(s) {
		return "", "", "", false
	}
	return s[:i], s[i : i+1], s[i+1:], true
}

// withoutExponent makes 1000 of 1e3.
func withoutExponent(s string) string {
	mantissa, _, exponent, ok := cutExponent(s)
	n, err := strconv.Atoi(exponent)
	if !ok || err != nil || n > maxExpand || n < -maxExpand {
		return s
	}
	sign := ""
	if strings.HasPrefix(mantissa, "-") {
		sign, mantissa = "-", mantissa[1:]
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits, point := whole+fraction, len(whole)+n
	if !isDigits(digits) {
		return s
	}
	switch {
	case point <= 0:
		whole, fraction = "0", strings.Repeat("0", -point)+digits
	case point >= len(digits):
		whole, fraction = digits+strings.Repeat("0", point-len(digits)), ""
	default:
		whole, fraction = digits[:point], digits[point:]
	}
	if whole = strings.TrimLeft(whole, "0"); whole == "" {
		whole = "0"
	}
	if fraction = strings.TrimRight(fraction, "0"); fraction != "" {
		whole += "." + fraction
	}
	return sign + whole
}

// withoutPlus makes 1e21 of 1e+21.
func withoutPlus(s string) string {
	if mantissa, e, exponent, ok := cutExponent(s); ok {
		return mantissa + e + strings.TrimPrefix(exponent, "+")
	}
	return s
}

// withPlus makes 1e+21 of 1e21.
func withPlus(s string) string {
	if mantissa, e, exponent, ok := cutExponent(s); ok && isDigits(exponent) {
		return mantissa + e + "+" + exponent
	}
	return s
}

// withShortExponent makes 1e-7 of 1e-07.
func withShortExponent(s string) string {
	mantissa, e, exponent, ok := cutExponent(s)
	digits := strings.TrimLeft(exponent, "+-")
	if short := strings.TrimLeft(digits, "0"); ok && short != "" {
		return mantissa + e + strings.TrimSuffix(exponent, digits) + short
	}
	return s
}

// withLongExponent makes 1e-07 of 1e-7.
func withLongExponent(s string) string {
	mantissa, e, exponent, ok := cutExponent(s)
	if digits := strings.TrimLeft(exponent, "+-"); ok && len(digits) == 1 {
		return mantissa + e + strings.TrimSuffix(exponent, digits) + "0" + digits
	}
	return s
}
