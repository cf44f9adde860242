// The rows of the window as the stream tells them. Pure: a message and what was before give what is now.
const FADE_MS = 2000;

export const NOTHING = { isWhole: false, windows: 0, total: 0, from: 0, moment: 0, columns: [], rows: [], complete: true, missing: [], stamp: 0 };

// Keeps the stamp of a change that is told again, so that a fade does not begin anew when the window moves.
function stamped(row, before, stamp, now) {
	if (!row.change)
		return { ...row, since: 0, stamp: 0 };
	if (before && before.change === row.change && now - before.since < FADE_MS &&
	    before.cells.join('\n') === row.cells.join('\n'))
		return { ...row, since: before.since, stamp: before.stamp };
	return { ...row, since: now, stamp };
}

// A change that has faded is none any more.
function faded(row, now) {
	return row.change && row.change !== 'gone' && now - row.since >= FADE_MS ? { ...row, change: null } : row;
}

export function applyMessage(was, message, now) {
	if (message.type !== 'window' && message.type !== 'difference')
		return was;
	const stamp = was.stamp + 1;
	const known = new Map(was.rows.map(row => [row.id, row]));
	const told = new Map((message.rows ?? []).map(row => [row.id, stamped(row, known.get(row.id), stamp, now)]));
	const next = {
		...was, stamp, isWhole: true,
		total: message.total ?? was.total,
		sockets: message.sockets ?? was.sockets,
		time: message.time ?? was.time,
		complete: message.complete ?? was.complete,
		missing: message.missing ?? was.missing,
	};
	if (message.type === 'window') {
		next.windows = was.windows + 1;
		next.from = message.from;
		next.moment = message.moment ?? 0;
		next.columns = message.columns ?? was.columns;
		next.rows = [...told.values()];
		return next;
	}
	const find = id => told.get(id) ?? (known.has(id) ? faded(known.get(id), now) : null);
	const order = message.order ?? was.rows.map(row => row.id);
	next.rows = order.map(find).filter(row => row);
	return next;
}
