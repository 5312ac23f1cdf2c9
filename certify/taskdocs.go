package certify

import "github.com/internal-app-portal/iap/task"

// TaskDocs are the documentation of the tasks of certifications.
func TaskDocs() []task.Doc {
	wait := []string{".waitForTaskToken"}
	fail := doc("fail", "Note that a certification failed", "Keeps the step and the reason for the publisher; people have the former version.", "null", nil,
		task.Field{Name: "error", Type: task.Text, Text: "The error's name."}, task.Field{Name: "cause", Type: task.Text, Text: "Its cause."})
	return []task.Doc{
		doc("deploy", "Deploy a version to certify it", "Deploys an instance of the portal's own and waits until it runs.", `"$.deployed"`, wait),
		doc("destroy", "Destroy what certifies a version", "Destroys that instance and waits until nothing of it is left.", `"$.destroyed"`, wait),
		doc("pass", "Note that a certification passed", "People can have the version from this commit on.", "null", nil),
		fail,
	}
}

func doc(name, title, text, path string, suffixes []string, more ...task.Field) task.Doc {
	d := task.Doc{Resource: "arn:iap:states:::certify:" + name, Suffixes: suffixes, Title: title, Text: text, Who: "The version's own certification alone.",
		Arguments: append([]task.Field{
			{Name: "app", Type: task.Text, Required: true, Text: "The app's slug."},
			{Name: "version", Type: task.Number, Required: true, Text: "The version's number."}}, more...),
		Errors: []task.Error{{Name: errorNotAllowed, Text: "It is not the version's own certification that asks."}, task.BadArguments()}}
	suffix := ""
	switch name {
	case "deploy":
		suffix = suffixes[0]
		d.Result = []task.Field{{Name: "instance", Type: task.Text, Text: "The instance's ID."}}
		d.Errors = append([]task.Error{{Name: errorBusy, Text: "Another certification of the app goes on; try again."},
			{Name: errorDeploy, Text: "It did not become ready; the cause says why."}}, d.Errors...)
	case "destroy":
		suffix = suffixes[0]
		d.Errors = append([]task.Error{{Name: errorDestroy, Text: "Something of it is left."}, {Name: errorDeploy, Text: "It ended before."}}, d.Errors...)
	}
	d.Example = "{\n  \"Type\": \"Task\",\n  \"Resource\": \"arn:iap:states:::certify:" + name + suffix +
		"\",\n  \"Parameters\": {\"app.$\": \"$.app\", \"version.$\": \"$.version\"},\n  \"ResultPath\": " + path + ",\n  \"End\": true\n}"
	return d
}

func docOf(key string) task.Doc {
	for _, d := range TaskDocs() {
		if d.Key() == key {
			return d
		}
	}
	return task.Doc{}
}
