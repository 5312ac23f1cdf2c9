// What stands between Go and the jsonata package in one machine. Go calls
// evaluate(expression, bindings, care) and gets a text whose first character
// says what it is: v a value as JSON, u undefined, f no JSON, e an error.
(function () {
	'use strict';
	const make = globalThis.jsonata;
	const world = {now: 0};
	const RealDate = Date;

	// $now, $millis and what toMillis fills in all come from `new Date()`.
	globalThis.Date = class extends RealDate {
		constructor(...args) {
			if (args.length === 0) {
				super(world.now);
			} else {
				super(...args);
			}
		}
		static now() {
			return world.now;
		}
	};
	Math.random = () => hostRandom();

	// Padding joins an array that is as long as the text is to be: one long
	// step of the engine, which no timeout can end.
	const join = Array.prototype.join;
	const maxJoined = 5000000;
	Array.prototype.join = function (separator) {
		if (this.length > maxJoined) {
			throw {code: 'D2015', message: `The maximum sequence length of ${maxJoined} was exceeded.`};
		}
		return join.call(this, separator);
	};

	// $base64encode and $base64decode take these from a browser. A character is a
	// byte, as in Node.
	const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
	globalThis.window = {
		btoa(text) {
			let out = '';
			for (let i = 0; i < text.length; i += 3) {
				const n = (text.charCodeAt(i) & 255) << 16 | (text.charCodeAt(i + 1) & 255) << 8 | text.charCodeAt(i + 2) & 255;
				out += digits[n >> 18] + digits[n >> 12 & 63] + (i + 1 < text.length ? digits[n >> 6 & 63] : '=') +
					(i + 2 < text.length ? digits[n & 63] : '=');
			}
			return out;
		},
		atob(text) {
			let out = '';
			let bits = 0;
			let n = 0;
			for (const c of text) {
				const d = digits.indexOf(c === '-' ? '+' : c === '_' ? '/' : c);
				if (c === '=') {
					break;
				}
				if (d < 0) {
					continue;
				}
				bits = (bits << 6 | d) & 0xffff;
				n += 6;
				if (n >= 8) {
					n -= 8;
					out += String.fromCharCode(bits >> n & 255);
				}
			}
			return out;
		},
	};

	const fail = (code, message) => {
		throw {code: code, message: message};
	};
	const whole = (name, v, what) => {
		if (!Number.isInteger(v)) {
			fail('T0410', `The ${what} of function "${name}" must be an integer`);
		}
	};

	const functions = {
		partition: ['<an:a>', function (list, size) {
			if (list === undefined || size === undefined) {
				return undefined;
			}
			whole('partition', size, 'chunk size');
			if (size < 1) {
				fail('D3200', 'The chunk size of function "partition" must be greater than 0');
			}
			const out = [];
			for (let i = 0; i < list.length; i += size) {
				out.push(list.slice(i, i + size));
			}
			return out;
		}],
		range: ['<nnn:a>', function (first, last, step) {
			if (first === undefined || last === undefined || step === undefined) {
				return undefined;
			}
			whole('range', first, 'start');
			whole('range', last, 'end');
			whole('range', step, 'step');
			if (step === 0) {
				fail('D3200', 'The step of function "range" must not be 0');
			}
			if ((last - first) / step >= 1000000) {
				fail('D2014', 'The function "range" gives at most 1000000 numbers');
			}
			const out = [];
			for (let i = first; step > 0 ? i <= last : i >= last; i += step) {
				out.push(i);
			}
			return out;
		}],
		hash: ['<ss?:s>', function (text, algorithm) {
			if (text === undefined) {
				return undefined;
			}
			const sum = hostHash(text, algorithm === undefined ? 'SHA-256' : algorithm);
			if (sum === '') {
				fail('D3200', 'The algorithm of function "hash" must be one of MD5, SHA-1, SHA-256, SHA-384, SHA-512');
			}
			return sum;
		}],
		random: ['<n?:n>', function (seed) {
			return seed === undefined ? hostRandom() : hostSeeded(seed);
		}],
		uuid: ['<:s>', function () {
			return hostUUID();
		}],
		parse: ['<s:x>', function (text) {
			if (text === undefined) {
				return undefined;
			}
			try {
				return JSON.parse(text);
			} catch (e) {
				if (!(e instanceof SyntaxError)) {
					throw e;
				}
				fail('D3200', 'The argument of function "parse" must be a valid JSON text');
			}
		}],
	};

	// Compiled expressions, the oldest first.
	const compiled = new Map();
	const maxCompiled = 128;

	const compile = (source) => {
		let expr = compiled.get(source);
		if (expr !== undefined) {
			return expr;
		}
		expr = make(source);
		expr.assign('eval', undefined);
		for (const name in functions) {
			if (source.includes(name)) {
				expr.registerFunction(name, functions[name][1], functions[name][0]);
			}
		}
		if (compiled.size >= maxCompiled) {
			compiled.delete(compiled.keys().next().value);
		}
		compiled.set(source, expr);
		return expr;
	};

	// Objects whose keys JavaScript would put into another order bear that of
	// the text under this key until they are restored.
	const orderKey = '\u0000order';

	const restore = (v, orders) => {
		if (Array.isArray(v)) {
			for (const item of v) {
				restore(item, orders);
			}
		} else if (v !== null && typeof v === 'object') {
			if (Object.prototype.hasOwnProperty.call(v, orderKey)) {
				orders.set(v, v[orderKey]);
				delete v[orderKey];
			}
			for (const key of Object.keys(v)) {
				restore(v[key], orders);
			}
		}
	};

	const isFunction = (v) => typeof v === 'function' || v._jsonata_function === true || v._jsonata_lambda === true;

	// refuse throws where a value is no JSON.
	const refuse = (v) => {
		switch (typeof v) {
		case 'number':
			if (!isFinite(v)) {
				fail('D1001', 'Number out of range: ' + v);
			}
			return;
		case 'function':
		case 'symbol':
		case 'bigint':
			throw orderKey;
		case 'object':
			if (v === null) {
				return;
			}
			if (Array.isArray(v)) {
				for (let i = 0; i < v.length; i++) {
					refuse(v[i]);
				}
				return;
			}
			if (isFunction(v)) {
				throw orderKey;
			}
			for (const key in v) {
				refuse(v[key]);
			}
		}
	};

	// write is JSON.stringify with the order that the keys had.
	const write = (v, orders) => {
		if (v === null || typeof v !== 'object') {
			return v === undefined ? 'null' : JSON.stringify(v);
		}
		if (Array.isArray(v)) {
			return '[' + v.map((item) => write(item, orders)).join(',') + ']';
		}
		const keys = orders.get(v) || Object.keys(v);
		return '{' + keys.map((key) => JSON.stringify(key) + ':' + write(v[key], orders)).join(',') + '}';
	};

	globalThis.hostEvaluate = function (source, bindings, care, now) {
		world.now = now;
		try {
			const vars = JSON.parse(bindings);
			const orders = care ? new Map() : null;
			if (care) {
				restore(vars, orders);
			}
			const v = compile(source).evaluate(undefined, vars);
			if (v === undefined) {
				return 'u';
			}
			refuse(v);
			return 'v' + (care ? write(v, orders) : JSON.stringify(v));
		} catch (e) {
			if (e === orderKey) {
				return 'f';
			}
			if (e instanceof Error && e.code === undefined) {
				const limit = e instanceof InternalError || /stack overflow|out of memory|interrupted/.test(e.message);
				if (limit) {
					throw e;
				}
				return 'e' + JSON.stringify({code: 'ENGINE', message: String(e.message), position: -1});
			}
			return 'e' + JSON.stringify({code: String(e.code), message: String(e.message),
				position: typeof e.position === 'number' ? e.position : -1});
		}
	};
	delete globalThis.jsonata;
})();
