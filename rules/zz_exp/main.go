package main

import (
	"fmt"
	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/cost"
)

type act struct{ m map[string]any }

func main() {
	env, err := cel.NewEnv(cel.Variable("face.analyse.active", cel.BoolType), cel.Variable("face.detect.active", cel.BoolType), cel.Variable("notice.state", cel.StringType),
		cel.Variable("gap.method", cel.ListType(cel.StringType)), cel.Variable("lacks", cel.BoolType), cel.Variable("observed", cel.TimestampType))
	if err != nil { panic(err) }
	for _, x := range []string{`face.analyse.active && notice.state in ['none','offsite_only'] || lacks`, `gap.method.exists(g, g == 'x') || face.detect.active`, `size(gap.method) > 0 ? lacks : notice.state == 'a'`, `observed >= timestamp('2021-11-01T00:00:00+08:00') && !lacks`} {
		a, iss := env.Compile(x)
		if iss.Err() != nil { panic(iss.Err()) }
		ce, err := env.EstimateCost(a, est{})
		fmt.Println(x, "cost", ce, err)
		ast.PreOrderVisit(a.NativeRep().Expr(), ast.NewExprVisitor(func(e ast.Expr) { if e.Kind() == ast.IdentKind { fmt.Print(" ident:", e.AsIdent()) } }))
		fmt.Println()
		p, err := env.Program(a, cel.EvalOptions(cel.OptPartialEval, cel.OptTrackState, cel.OptExhaustiveEval), cel.CostLimit(10000))
		if err != nil { panic(err) }
		u := types.NewUnknown(1<<40, types.NewAttributeTrail("face.detect.active"))
		u2 := types.MergeUnknowns(types.NewUnknown(1<<40+1, types.NewAttributeTrail("n1")), types.NewUnknown(1<<40+2, types.NewAttributeTrail("n2")))
		vars := map[string]any{"face.analyse.active": true, "face.detect.active": ref.Val(u), "notice.state": ref.Val(types.NewUnknown(1<<40+5, types.NewAttributeTrail("notice.state"))), "gap.method": ref.Val(types.NewUnknown(1<<40+6, types.NewAttributeTrail("gap.method"))), "lacks": ref.Val(u2),
			"observed": 1}
		delete(vars, "observed")
		vars["observed"] = ref.Val(types.NewUnknown(1<<40+7, types.NewAttributeTrail("observed")))
		pv, err := cel.PartialVars(vars)
		if err != nil { panic(err) }
		v, det, err := p.Eval(pv)
		fmt.Println(v, err)
		_ = det
		for _, id := range det.State().IDs() { vv, _ := det.State().Value(id); fmt.Print(id, "=", vv, "; ") }
		fmt.Println()
		vars["notice.state"] = "none"
		vars["gap.method"] = []string{"x"}
		pv, _ = cel.PartialVars(vars)
		v, det, err = p.Eval(pv)
		fmt.Println(v, err)
	}
}
type est struct{}
func (est) EstimateSize(e cost.AstNode) *cost.SizeEstimate { return &cost.SizeEstimate{Min:0, Max: 64} }
func (est) EstimateCallCost(f, o string, t *cost.AstNode, args []cost.AstNode) *cost.CallEstimate { return nil }
