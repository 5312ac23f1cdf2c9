package jsonata

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// kind is what a token or a node of the syntax tree is.
type kind byte

const (
	kEnd kind = iota
	kName
	kVariable
	kString
	kNumber
	kValue // true, false, null
	kRegex
	kOperator
	// Only of nodes:
	kWildcard
	kDescendant
	kParent
	kBinary
	kUnary
	kArray
	kObject
	kGroup
	kFunction
	kPartial
	kLambda
	kBlock
	kCondition
	kTransform
	kSort
)

// token is what the lexer gives: text is the name, the string or the operator.
type token struct {
	kind kind
	text string
	num  float64
	at   int
}

// bindingPowers are how tightly operators bind to what stands before them.
var bindingPowers = map[string]int{
	".": 75, "[": 80, "{": 70, "(": 80, "@": 80, "#": 80, "?": 20, "+": 50, "-": 50, "*": 60, "/": 60, "%": 60,
	"=": 40, "<": 40, ">": 40, "^": 40, ":=": 10, "!=": 40, "<=": 40, ">=": 40, "~>": 40, "?:": 40, "??": 40,
	"and": 30, "or": 25, "in": 40, "&": 50,
	// These end an expression.
	"]": 0, "}": 0, ")": 0, ",": 0, ";": 0, ":": 0, "|": 0, "..": 0, "**": 0,
}

const (
	blanks      = " \t\n\r\v"
	singles     = ".[]{}(),@#;:?+-*/%|=<>^&!~"
	maxExprSize = 1 << 20
)

var doubles = []string{"..", ":=", "!=", ">=", "<=", "**", "~>", "?:", "??"}

type lexer struct {
	src string
	pos int
}

// next gives the next token. After an operand (infix) a slash divides; elsewhere
// it begins a regular expression.
func (l *lexer) next(infix bool) (token, *SyntaxError) {
	if err := l.skip(); err != nil {
		return token{}, err
	}
	at := l.pos
	if at >= len(l.src) {
		return token{kind: kEnd, at: len(l.src)}, nil
	}
	rest := l.src[at:]
	switch c := rest[0]; {
	case c == '/' && !infix:
		return l.regex(at)
	case c == '"' || c == '\'':
		return l.str(at, c)
	case c == '`':
		return l.quotedName(at)
	case c >= '0' && c <= '9':
		return l.number(at)
	}
	for _, op := range doubles {
		if strings.HasPrefix(rest, op) {
			l.pos += len(op)
			return token{kind: kOperator, text: op, at: at}, nil
		}
	}
	if strings.IndexByte(singles, rest[0]) >= 0 {
		l.pos++
		return token{kind: kOperator, text: rest[:1], at: at}, nil
	}
	return l.word(at), nil
}

// skip passes over blanks and comments.
func (l *lexer) skip() *SyntaxError {
	for l.pos < len(l.src) {
		switch {
		case strings.IndexByte(blanks, l.src[l.pos]) >= 0:
			l.pos++
		case strings.HasPrefix(l.src[l.pos:], "/*"):
			end := strings.Index(l.src[l.pos+2:], "*/")
			if end < 0 {
				return syntaxError(l.pos, "S0106", "Comment has no closing tag")
			}
			l.pos += end + 4
		default:
			return nil
		}
	}
	return nil
}

// word reads a name, a variable, a constant or an operator that is a word.
func (l *lexer) word(at int) token {
	end := strings.IndexAny(l.src[at:], blanks+singles)
	if end < 0 {
		end = len(l.src) - at
	}
	text := l.src[at : at+end]
	l.pos = at + end
	if name, ok := strings.CutPrefix(text, "$"); ok {
		return token{kind: kVariable, text: name, at: at}
	}
	switch text {
	case "and", "or", "in":
		return token{kind: kOperator, text: text, at: at}
	case "true", "false", "null":
		return token{kind: kValue, text: text, at: at}
	}
	return token{kind: kName, text: text, at: at}
}

func (l *lexer) quotedName(at int) (token, *SyntaxError) {
	end := strings.IndexByte(l.src[at+1:], '`')
	if end < 0 {
		return token{}, syntaxError(at, "S0105", "Quoted property name must be terminated with a backquote (`)")
	}
	l.pos = at + end + 2
	return token{kind: kName, text: l.src[at+1 : at+1+end], at: at}, nil
}

func (l *lexer) number(at int) (token, *SyntaxError) {
	i := at + 1
	if l.src[at] != '0' {
		i = l.digits(i)
	}
	if i < len(l.src) && l.src[i] == '.' {
		if end := l.digits(i + 1); end > i+1 {
			i = end
		}
	}
	if i < len(l.src) && (l.src[i] == 'e' || l.src[i] == 'E') {
		j := i + 1
		if j < len(l.src) && (l.src[j] == '-' || l.src[j] == '+') {
			j++
		}
		if end := l.digits(j); end > j {
			i = end
		}
	}
	text := l.src[at:i]
	f, _ := strconv.ParseFloat(text, 64)
	if math.IsInf(f, 0) {
		return token{}, syntaxError(at, "S0102", "Number out of range: %s", quote(text))
	}
	l.pos = i
	return token{kind: kNumber, text: text, num: f, at: at}, nil
}

func (l *lexer) digits(i int) int {
	for i < len(l.src) && l.src[i] >= '0' && l.src[i] <= '9' {
		i++
	}
	return i
}

// regex reads a regular expression; slashes in brackets do not end it.
func (l *lexer) regex(at int) (token, *SyntaxError) {
	depth, start := 0, at+1
	for i := start; i < len(l.src); i++ {
		escaped := i > start && l.src[i-1] == '\\'
		switch c := l.src[i]; {
		case c == '/' && depth == 0 && !oddBackslashes(l.src[start:i]):
			if i == start {
				return token{}, syntaxError(at, "S0301", "Empty regular expressions are not allowed")
			}
			pattern := l.src[start:i]
			for i++; i < len(l.src) && (l.src[i] == 'i' || l.src[i] == 'm'); i++ {
			}
			l.pos = i
			return token{kind: kRegex, text: pattern, at: at}, nil
		case strings.IndexByte("([{", c) >= 0 && !escaped:
			depth++
		case strings.IndexByte(")]}", c) >= 0 && !escaped:
			depth--
		}
	}
	return token{}, syntaxError(at, "S0302", "No terminating / in regular expression")
}

func oddBackslashes(s string) bool {
	n := len(s) - len(strings.TrimRight(s, `\`))
	return n%2 == 1
}

var escapes = map[byte]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

func (l *lexer) str(at int, mark byte) (token, *SyntaxError) {
	var b strings.Builder
	for i := at + 1; i < len(l.src); i++ {
		c := l.src[i]
		if c == mark {
			l.pos = i + 1
			return token{kind: kString, text: b.String(), at: at}, nil
		}
		if c != '\\' {
			b.WriteByte(c)
			continue
		}
		i++
		if i >= len(l.src) {
			break
		}
		if e, ok := escapes[l.src[i]]; ok {
			b.WriteByte(e)
			continue
		}
		if l.src[i] != 'u' {
			r, _ := utf8.DecodeRuneInString(l.src[i:])
			return token{}, syntaxError(i, "S0103", "Unsupported escape sequence: \\%s", quote(string(r)))
		}
		n, r := l.unicode(i + 1)
		if n == 0 {
			return token{}, syntaxError(i, "S0104", "The escape sequence \\u must be followed by 4 hex digits")
		}
		b.WriteRune(r)
		i += n
	}
	return token{}, syntaxError(at, "S0101", "String literal must be terminated by a matching quote")
}
