#!/bin/sh
# Makes asl/jsonata/js/jsonata.js, the evaluator that package asl/jsonata
# embeds: the ES2017 build of the official npm package, with async and await
# taken away so that an evaluation ends within one call. Run it to take up
# another version, then run the tests of the package.
set -eu
version=${1:-2.2.2}
out=$(cd "$(dirname "$0")/.." && pwd)/asl/jsonata/js
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm pack --silent "jsonata@$version" >/dev/null
tar xzf "jsonata-$version.tgz"
mkdir -p "$out"
{
	echo "/* jsonata $version, MIT licence (see LICENSE); async and await removed by scripts/jsonata.sh */"
	# What Promise.all waited for are plain values once nothing is a promise.
	sed -e 's/\basync function\b/function/g' -e 's/\basync *(/(/g' -e 's/\basync \([A-Za-z]* *=>\)/\1/g' \
		-e 's/\bawait //g' -e 's/\bawait(/(/g' -e 's/Promise\.all(/(/g' package/jsonata.min.js
} >"$out/jsonata.js"
cp package/LICENSE "$out/LICENSE"
if sed 1d "$out/jsonata.js" | grep -qE '\bawait\b|\basync (function|\()|Promise\.'; then
	echo "jsonata.sh: something asynchronous is left in $out/jsonata.js" >&2
	exit 1
fi
