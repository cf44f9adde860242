// The map as bytes, one a port, and as pixels. Pure: numbers in, numbers out.
export const SIDE = 256;
export const DOORS = SIDE * SIDE;

const STATE = 7, REACH = 7 << 3, EPHEMERAL = 1 << 6, CHANGED = 1 << 7;
export const STATES = ['closed', 'bound, not open', 'open', 'connections only', 'leaving'];
const REACHES = ['', 'loopback', 'link-local', 'private', 'public', 'any', 'multicast or broadcast'];
export const CLASSES = [[0, 1023, 'well-known'], [1024, 49151, 'registered'], [49152, 65535, 'dynamic']];

// The colours of theme.css that a door can have: of what is open by its reach, of the rest by its state.
export const COLOURS = ['map-closed', 'map-ephemeral', 'map-bound', 'map-connected', 'map-lingers',
	'map-loopback', 'map-near', 'map-any', 'map-multicast', 'map-line', 'map-cursor', 'map-new', 'map-text'];

export const LEGEND = [
	['map-any', 'open to any address'], ['map-near', 'open to networks nearby'], ['map-loopback', 'open to this host alone'],
	['map-multicast', 'multicast or broadcast'], ['map-connected', 'connections only'], ['map-bound', 'bound, not open'],
	['map-lingers', 'leaving (TIME_WAIT)'], ['map-ephemeral', 'closed, in the ephemeral range'], ['map-closed', 'closed'],
];

export const state = byte => byte & STATE;
export const reach = byte => (byte & REACH) >> 3;
const isEphemeral = byte => (byte & EPHEMERAL) !== 0;
export const isChanged = byte => (byte & CHANGED) !== 0;
export const hasMark = byte => state(byte) === 1 || state(byte) === 2;
export const portAt = (x, y) => y * SIDE + x;
export const place = port => ({ x: port % SIDE, y: Math.floor(port / SIDE) });

export function colourName(byte) {
	switch (state(byte)) {
	case 0: return isEphemeral(byte) ? 'map-ephemeral' : 'map-closed';
	case 1: return 'map-bound';
	case 3: return 'map-connected';
	case 4: return 'map-lingers';
	}
	return ['map-loopback', 'map-loopback', 'map-near', 'map-near', 'map-any', 'map-any', 'map-multicast'][reach(byte)] ?? 'map-any';
}

// 256 colours, one for each value of a byte, so that drawing is one look for each door.
export function palette(pixels) {
	const colours = new Uint32Array(256);
	for (let byte = 0; byte < 256; byte++)
		colours[byte] = pixels[colourName(byte)];
	return colours;
}

// What a look at all doors finds: how many are open, which have a mark (open, or bound), and the runs of doors that are
// alike, [first, behind the last, byte]. Nearly all doors are closed, so that four are looked at at once.
export function survey(bytes) {
	const words = new Uint32Array(bytes.buffer, bytes.byteOffset, DOORS / 4);
	const runs = [], marked = [];
	let nOpen = 0, begun = 0, last = bytes[0];
	const end = (port, byte) => {
		runs.push([begun, port, last]);
		begun = port;
		last = byte;
	};
	for (let k = 0; k < words.length; k++) {
		if (words[k] === last * 0x01010101 && !hasMark(last))
			continue;
		for (let port = k * 4; port < k * 4 + 4; port++) {
			const byte = bytes[port];
			if (byte !== last)
				end(port, byte);
			if (hasMark(byte))
				marked.push(port);
			nOpen += state(byte) === 2;
		}
	}
	end(DOORS, 0);
	return { nOpen, marked, runs };
}

export function paint(runs, colours, pixels) {
	for (const [first, end, byte] of runs)
		pixels.fill(colours[byte], first, end);
}

export function inWords(port, byte) {
	const [, , name] = CLASSES.find(([first, last]) => port >= first && port <= last);
	const what = hasMark(byte) ? [STATES[state(byte)], REACHES[reach(byte)] && `reach ${REACHES[reach(byte)]}`]
		: [STATES[state(byte)] ?? 'unknown'];
	return [...what, name, isEphemeral(byte) && 'ephemeral'].filter(x => x).join(', ');
}

// The next door in the direction of @step that is not closed, or none: what the keyboard jumps to.
export function nextOpen(bytes, from, step) {
	for (let port = from + step; port >= 0 && port < DOORS; port += step)
		if (state(bytes[port]) !== 0)
			return port;
	return from;
}
