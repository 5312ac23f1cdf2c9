package sfn

import (
	"strconv"

	"github.com/internal-app-portal/iap/workflow"
)

type publishVersion struct {
	ARN         string  `json:"stateMachineArn" check:"required,min=1,max=256"`
	Revision    *string `json:"revisionId"`
	Description string  `json:"description" check:"max=256,secret"`
}

func (r *request) publishVersion(in publishVersion) (any, error) {
	name, err := plainARN(in.ARN)
	if err != nil {
		return nil, err
	}
	if in.Revision != nil && *in.Revision == "INITIAL" {
		*in.Revision = "" // so AWS names the revision before the first change
	}
	v, err := r.Machines.Publish(r.ctx, name, in.Revision, in.Description)
	if err != nil {
		return nil, explain(err, in.ARN)
	}
	return versionItem(v), nil
}

type versionListItem struct {
	ARN     string `json:"stateMachineVersionArn"`
	Created stamp  `json:"creationDate"`
}

func versionItem(v workflow.Version) versionListItem {
	return versionListItem{workflow.VersionARN(v.Machine, v.Number), stamp(v.CreatedAt)}
}

type byVersion struct {
	ARN string `json:"stateMachineVersionArn" check:"required,min=1,max=2000"`
}

func (r *request) deleteVersion(in byVersion) (any, error) {
	machine, n, err := versionARN(in.ARN)
	if err != nil {
		return nil, err
	}
	return none{}, explain(r.Machines.DeleteVersion(r.ctx, machine, n), in.ARN)
}

type listOfMachine struct {
	ARN   string  `json:"stateMachineArn" check:"required,min=1,max=256"`
	Max   *int64  `json:"maxResults" check:"min=0,max=1000"`
	Token *string `json:"nextToken" check:"min=1,max=1024"`
}

func (r *request) listVersions(in listOfMachine) (any, error) {
	name, err := plainARN(in.ARN)
	if err != nil {
		return nil, err
	}
	p := paging{max: in.Max, token: in.Token, of: []string{name}}
	limit, after, err := r.page(p)
	if err != nil {
		return nil, err
	}
	before, _ := strconv.ParseInt(after, 10, 64) // made by us; 0: from the newest
	if _, err := r.Machines.Machine(r.ctx, name); err != nil {
		return nil, explain(err, in.ARN)
	}
	list, err := r.Machines.Versions(r.ctx, name, before, limit+1)
	if err != nil {
		return nil, explain(err, in.ARN)
	}
	list, next := cut(r, p, list, limit, func(v workflow.Version) string { return strconv.FormatInt(v.Number, 10) })
	out := struct {
		List []versionListItem `json:"stateMachineVersions"`
		Next *string           `json:"nextToken,omitempty"`
	}{[]versionListItem{}, next}
	for _, v := range list {
		out.List = append(out.List, versionItem(v))
	}
	return out, nil
}
