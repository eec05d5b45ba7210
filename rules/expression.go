package rules

import (
	"errors"
	"fmt"
	"slices"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/cost"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/interpreter"

	"github.com/mingshi-audit/mingshi/audit"
)

// Limits of an expression. The static bound is computed for lists of maxList entries and strings of that length; a rule of
// the builtin packs needs below a tenth of it.
const (
	maxCost = 50_000
	maxList = 64
	maxExpr = 4_000 // characters
)

// truth is Kleene's third value and the two others. The zero value is the cautious one.
type truth int

const (
	unknown truth = iota
	no
	yes
)

func (t truth) String() string { return [...]string{"unknown", "false", "true"}[t] }

// environment type-checks expressions against declared facts.
type environment struct {
	cel   *cel.Env
	types map[string]audit.Type // facts, times and shared conditions, by name
	open  map[string]bool       // shared conditions that are not compiled yet: nothing may use them
}

// times are the variables beside facts.
var times = []string{"observed", "conduct.from", "conduct.to"}

func newEnvironment(facts map[string]audit.Type, shared []string) (*environment, error) {
	e := &environment{types: map[string]audit.Type{}, open: map[string]bool{}}
	opts := []cel.EnvOption{cel.ParserExpressionSizeLimit(maxExpr), cel.ParserRecursionLimit(40)}
	for name, t := range facts {
		ct, ok := celTypes[t]
		if !ok {
			return nil, fmt.Errorf("fact %s has type %q, which conditions cannot use", name, t)
		}
		e.types[name] = t
		opts = append(opts, cel.Variable(name, ct))
	}
	for _, name := range times {
		e.types[name] = audit.Time
		opts = append(opts, cel.Variable(name, cel.TimestampType))
	}
	for _, name := range shared {
		if _, ok := e.types[name]; ok {
			return nil, fmt.Errorf("the name %s is taken", name)
		}
		e.types[name], e.open[name] = audit.Bool, true
		opts = append(opts, cel.Variable(name, cel.BoolType))
	}
	var err error
	e.cel, err = cel.NewEnv(opts...)
	return e, err
}

var celTypes = map[audit.Type]*cel.Type{audit.Bool: cel.BoolType, audit.Int: cel.IntType, audit.String: cel.StringType,
	audit.List: cel.ListType(cel.StringType), audit.Time: cel.TimestampType}

// expression is a compiled condition.
type expression struct {
	source string
	root   ast.Expr
	prog   cel.Program
	uses   []string // variables, sorted
	bound  uint64   // static bound of the cost
}

// compile parses and type-checks a condition; it must be a boolean whose cost is bounded below the limit.
func (e *environment) compile(source string) (*expression, error) {
	a, iss := e.cel.Compile(source)
	if iss.Err() != nil {
		return nil, iss.Err()
	}
	if a.OutputType() != cel.BoolType {
		return nil, fmt.Errorf("the condition is a %s, not a bool", a.OutputType())
	}
	bound, err := e.cel.EstimateCost(a, sizes{})
	if err != nil {
		return nil, fmt.Errorf("estimating the cost: %w", err)
	}
	if bound.Max > maxCost {
		return nil, fmt.Errorf("the condition may cost %d, the limit is %d", bound.Max, maxCost)
	}
	// exhaustive, so that every fact that supports a result is known, not only the first
	p, err := e.cel.Program(a, cel.EvalOptions(cel.OptPartialEval, cel.OptTrackState, cel.OptExhaustiveEval), cel.CostLimit(4*maxCost))
	if err != nil {
		return nil, err
	}
	x := &expression{source: source, root: a.NativeRep().Expr(), prog: p, bound: bound.Max}
	ast.PreOrderVisit(x.root, ast.NewExprVisitor(func(n ast.Expr) {
		if n.Kind() == ast.IdentKind {
			if _, ok := e.types[n.AsIdent()]; ok {
				x.uses = append(x.uses, n.AsIdent())
			}
		}
	}))
	x.uses = sorted(x.uses)
	for _, name := range x.uses {
		if e.open[name] {
			return nil, fmt.Errorf("%s is defined by itself or further down", name)
		}
	}
	return x, nil
}

type sizes struct{}

// EstimateSize implements cost.Estimator.
func (sizes) EstimateSize(cost.AstNode) *cost.SizeEstimate { return &cost.SizeEstimate{Max: maxList} }

// EstimateCallCost implements cost.Estimator.
func (sizes) EstimateCallCost(string, string, *cost.AstNode, []cost.AstNode) *cost.CallEstimate {
	return nil
}

var _ cost.Estimator = sizes{}

// verdict is what a condition came to: its value, the facts it ended on where it is unknown, and the facts that decided it
// or, where unknown, those known that bear on it. All sorted.
type verdict struct {
	value    truth
	missing  []string
	deciders []string
}

// scope gives an expression its variables: a Go value, or the names of the facts that are missing.
type scope interface {
	// lookup returns a value; or the facts that are missing, at least one; or a condition's verdict.
	lookup(name string) (value any, missing []string)
	// support returns the facts behind a variable: itself, or what decided a shared condition.
	support(name string) []string
}

// eval evaluates the condition. An error is a failure of the expression itself, such as its cost limit.
func (x *expression) eval(s scope) (verdict, error) {
	ids := unknowns{}
	vars := make(map[string]any, len(x.uses))
	for _, name := range x.uses {
		v, missing := s.lookup(name)
		if len(missing) > 0 {
			vars[name] = ids.value(missing)
			continue
		}
		vars[name] = v
	}
	act, err := cel.PartialVars(vars)
	if err != nil {
		return verdict{}, err
	}
	v, details, err := x.prog.Eval(act)
	if err != nil {
		return verdict{}, err
	}
	var r verdict
	switch t := v.(type) {
	case types.Bool:
		r.value = no
		if t {
			r.value = yes
		}
	case *types.Unknown:
		for _, id := range t.IDs() {
			trails, _ := t.GetAttributeTrails(id)
			for _, a := range trails {
				r.missing = append(r.missing, a.Variable())
			}
		}
		r.missing = sorted(r.missing)
	default:
		return r, fmt.Errorf("the condition gave a %s", v.Type())
	}
	if details == nil {
		return r, errors.New("the evaluation kept no state")
	}
	r.deciders = sorted(walk(x.root, details.State(), s))
	return r, nil
}

// unknowns numbers the unknowns of one evaluation, so that two of one fact are the same.
type unknowns map[string]int64

func (u unknowns) value(missing []string) *types.Unknown {
	var out *types.Unknown
	for _, name := range missing {
		if u[name] == 0 {
			u[name] = firstUnknown + int64(len(u))
		}
		one := types.NewUnknown(u[name], types.NewAttributeTrail(name))
		if out == nil {
			out = one
			continue
		}
		out = types.MergeUnknowns(out, one)
	}
	return out
}

// firstUnknown keeps our numbers clear of the expression's own node ids.
const firstUnknown = 1 << 40

// walk returns the facts that made a node's value what it is: of a disjunction that holds, the parts that hold; of a
// conjunction that does not, the parts that do not; of one that is unknown, the parts that point nowhere else.
func walk(n ast.Expr, state interpreter.EvalState, s scope) []string {
	if n.Kind() == ast.CallKind {
		call := n.AsCall()
		args := call.Args()
		switch call.FunctionName() {
		case operators.LogicalOr, operators.LogicalAnd:
			or := call.FunctionName() == operators.LogicalOr
			own := value(n, state)
			var out []string
			for _, a := range args {
				v := value(a, state)
				neutral := or && v == no || !or && v == yes
				if own == v || own == unknown && neutral {
					out = append(out, walk(a, state, s)...)
				}
			}
			return out
		case operators.LogicalNot:
			return walk(args[0], state, s)
		case operators.Conditional:
			out := walk(args[0], state, s)
			switch value(args[0], state) {
			case yes:
				out = append(out, walk(args[1], state, s)...)
			case no:
				out = append(out, walk(args[2], state, s)...)
			}
			return out
		}
	}
	var out []string
	ast.PreOrderVisit(n, ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() == ast.IdentKind {
			out = append(out, s.support(e.AsIdent())...)
		}
	}))
	return out
}

func value(n ast.Expr, state interpreter.EvalState) truth {
	v, ok := state.Value(n.ID())
	if !ok {
		return unknown
	}
	switch v {
	case types.True:
		return yes
	case types.False:
		return no
	}
	return unknown
}

func sorted(l []string) []string {
	slices.Sort(l)
	return slices.Compact(l)
}
