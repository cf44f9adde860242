// Where the nodes of the picture stand: from left to right who dials, the port, who answers, and who is dialled.
// Pure: nodes and edges in, places out.
const GAP = 26;
const TOP = 34;

// 0 who comes to a port, 1 ports, 2 processes that serve them or dial peers, 3 the peers that are dialled.
function columnsOf(nodes, edges) {
	const kinds = new Map(nodes.map(node => [node.id, node.kind]));
	const column = new Map();
	for (const node of nodes)
		column.set(node.id, node.kind === 'port' ? 1 : node.kind === 'process' ? 2 : 0);
	const serves = new Set(), dials = new Set(), dialled = new Set();
	for (const { from, to } of edges) {
		if (kinds.get(from) === 'port')
			serves.add(to);
		if (kinds.get(to) === 'port')
			dials.add(from);
		if (kinds.get(from) === 'process' && kinds.get(to) === 'peer')
			dialled.add(to);
	}
	for (const node of nodes) {
		if (node.kind === 'process' && dials.has(node.id) && !serves.has(node.id))
			column.set(node.id, 0);
		if (node.kind === 'peer' && dialled.has(node.id) && !dials.has(node.id))
			column.set(node.id, 3);
	}
	return column;
}

// Each column is put in the order of the middle of its neighbours, a few times over, so that few edges cross.
function order(columns, edges, sweeps = 4) {
	const place = new Map();
	const number = list => list.forEach((node, k) => place.set(node.id, k));
	columns.forEach(number);
	const near = new Map();
	for (const { from, to } of edges) {
		near.set(from, [...(near.get(from) ?? []), to]);
		near.set(to, [...(near.get(to) ?? []), from]);
	}
	for (let sweep = 0; sweep < sweeps; sweep++)
		for (const list of sweep % 2 ? [...columns].reverse() : columns) {
			const middle = new Map(list.map(node => {
				const around = (near.get(node.id) ?? []).map(id => place.get(id)).filter(k => k !== undefined);
				return [node.id, around.length ? around.reduce((a, b) => a + b, 0) / around.length : place.get(node.id)];
			}));
			list.sort((a, b) => middle.get(a.id) - middle.get(b.id));
			number(list);
		}
}

export function layout({ nodes, edges }, width) {
	const known = new Set(nodes.map(node => node.id));
	const joined = edges.filter(edge => known.has(edge.from) && known.has(edge.to));
	const column = columnsOf(nodes, joined);
	const columns = [0, 1, 2, 3].map(k => nodes.filter(node => column.get(node.id) === k).sort((a, b) => b.n - a.n));
	order(columns, joined);
	const tallest = Math.max(1, ...columns.map(list => list.length));
	const height = TOP + tallest * GAP + 8;
	const used = [0, 1, 2, 3].filter(k => columns[k].length || k < 3);
	const places = new Map();
	columns.forEach((list, k) => {
		const top = TOP + (tallest - list.length) * GAP / 2;
		const x = Math.round((used.indexOf(k) + 0.5) * width / used.length);
		list.forEach((node, row) => places.set(node.id, { node, column: k, x, y: top + row * GAP + GAP / 2 }));
	});
	return { places, edges: joined, height, columns: used.map(k => ({ k, x: Math.round((used.indexOf(k) + 0.5) * width / used.length) })),
		half: Math.min(110, width / used.length / 2 - 24) };
}

// From the right side of one node to the left side of the other; backwards it goes round below.
export function curve(a, b, half) {
	const x1 = a.x + half, x2 = b.x - half;
	if (x2 > x1) {
		const bend = (x2 - x1) / 2;
		return `M${x1} ${a.y}C${x1 + bend} ${a.y} ${x2 - bend} ${b.y} ${x2} ${b.y}`;
	}
	const left = a.x - half, right = b.x + half;
	const bend = Math.max(20, (left - right) / 2);
	return `M${left} ${a.y}C${left - bend} ${a.y} ${right + bend} ${b.y} ${right} ${b.y}`;
}
