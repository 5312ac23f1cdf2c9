// Package certify has each new version of an app deployed, checked, destroyed
// and verified before people can have it.
//
// A certification is one execution of certification.asl.json. Its instance is the
// portal's, so that it is nobody's one instance of the app, and counts for no
// limit. It is started in the commit that adds the version, and what becomes of
// it is kept with the version, in the commit of the step that finds it out.
package certify
