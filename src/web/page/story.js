// The story of a port in a panel beside the list: who holds it, who reaches it, who is connected.
import { html, useEffect, useRef, useState } from './html.js';
import { askJson, query } from './api.js';
import { since } from './text.js';

const OPEN = new Set(['LISTEN', 'UNCONN', 'BOUND']);
const SHOWN = 6;
const QUIET = new Set(['two-doors', 'ephemeral', 'container-answers', 'unit-answers']);

const REACHED = {
	loopback: 'only this host', 'link-local': 'the links of this host', private: 'private networks', any: 'every network of this host',
	public: 'the internet', shared: 'the shared range of a provider', multicast: 'a multicast group', broadcast: 'the network, as broadcast',
};

export function endpoint(address, port) {
	if (!address)
		return `*:${port}`;
	return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

function containerName(container) {
	return container ? [container.engine, container.name ?? container.id?.slice(0, 12)].filter(x => x).join(' ') : '';
}

// A proxy or an activating systemd holds the port: who answers is another.
function answerer(answer) {
	if (!answer)
		return '';
	return [answer.unit, answer.process && `${answer.process.name ?? '?'} (pid ${answer.process.pid})`,
		answer.container && `in ${containerName(answer.container)}`].filter(x => x).join(', ');
}

function Fact({ name, children }) {
	return children ? html`<div class="fact"><dt>${name}</dt><dd>${children}</dd></div>` : null;
}

// From the holder up to the first process.
function Parents({ parents }) {
	if (!parents?.length)
		return null;
	return html`<ol class="parents">${parents.map(parent => html`<li key=${parent.pid}>
		<b>${parent.name ?? '?'}</b> <span class="dim">${parent.pid}</span>
		${[parent.is, parent.user && `of ${parent.user}`, parent.from && `from ${parent.from}`].filter(x => x).map(text =>
			html` <span class="dim">${text}</span>`)}
	</li>`)}</ol>`;
}

function Holder({ holder, now, onRates }) {
	const name = holder.runs ? `${holder.name} ${holder.runs}` : holder.name;
	return html`<div class="holder">
		<h4><bdi>${name ?? '?'}</bdi> <button type="button" class="link" title="its rates over time"
			onClick=${() => onRates(`pid ${holder.pid}`)}>pid ${holder.pid}</button></h4>
		<dl>
			<${Fact} name="of">${holder.user ?? holder.uid}${holder.start_time ? `, since ${since(holder.start_time, now)}` : ''}</${Fact}>
			<${Fact} name="runs">${holder.exe && html`<code>${holder.exe}</code>${holder.exe_deleted ? ' (its file is gone or replaced)' : ''}`}</${Fact}>
			<${Fact} name="command">${holder.cmdline && html`<code>${holder.cmdline}</code>`}</${Fact}>
			<${Fact} name="part of">${[holder.unit && `unit ${holder.unit}`,
				holder.container && `container ${containerName(holder.container)}`].filter(x => x).join(', ')}</${Fact}>
			<${Fact} name="from">${holder.parents?.length ? html`<${Parents} parents=${holder.parents} />` : null}</${Fact}>
		</dl>
	</div>`;
}

// The same process may hold a socket by several descriptors, and many workers may hold one socket.
function holdersOnce(holders) {
	const seen = new Map();
	for (const holder of holders ?? [])
		if (!seen.has(holder.pid))
			seen.set(holder.pid, holder);
	return [...seen.values()];
}

function Door({ socket, now, onRates }) {
	const [isAll, setAll] = useState(false);
	const holders = holdersOnce(socket.holders);
	const shown = isAll ? holders : holders.slice(0, SHOWN);
	const isOpen = OPEN.has(socket.state);
	return html`<section class="door">
		<h3>${socket.proto} ${endpoint(socket.local_address, socket.local_port)}${
			socket.peer_address ? ` → ${endpoint(socket.peer_address, socket.peer_port)}` : ''}
			<span class="tag" data-word=${socket.state.toLowerCase()}>${socket.state.toLowerCase()}</span>
			${isOpen && socket.reach ? html`<span class="tag" data-word=${socket.reach}>${socket.reach}</span>` : null}</h3>
		<dl>
			<${Fact} name="reached by">${isOpen ? REACHED[socket.reach] ?? socket.reach : ''}</${Fact}>
			<${Fact} name="inside">${socket.netns_name && `network namespace ${socket.netns_name}`}</${Fact}>
			<${Fact} name="queue">${socket.backlog !== null && socket.state === 'LISTEN' &&
				`${socket.recv_queue} of ${socket.backlog} wait to be accepted`}</${Fact}>
			<${Fact} name="container">${containerName(socket.container)}</${Fact}>
			<${Fact} name="answered by">${answerer(socket.answered_by)}</${Fact}>
			<${Fact} name="held by">${holders.length ? null : socket.held_by}</${Fact}>
		</dl>
		${shown.map(holder => html`<${Holder} key=${holder.pid} holder=${holder} now=${now} onRates=${onRates} />`)}
		${holders.length > shown.length ? html`<button type="button" class="quiet" onClick=${() => setAll(true)}>
			and ${holders.length - shown.length} more processes</button>` : null}
	</section>`;
}

function Peers({ connections }) {
	const count = connections.reduce((n, c) => n + c.count, 0);
	if (!count)
		return null;
	return html`<section class="door"><h3>${count} ${count === 1 ? 'connection' : 'connections'}</h3>
		<table class="peers"><tbody>${connections.slice(0, 40).map(c => html`<tr>
			<td class="right">${c.count}</td><td>${c.peer_address}</td>
			<td class="dim">${c.states.join(', ').toLowerCase()}</td>
			<td>${c.peer_process ? html`<bdi>${c.peer_process.name}</bdi> ${c.peer_process.pid}` : ''}</td></tr>`)}</tbody></table>
		${connections.length > 40 ? html`<p class="dim">and ${connections.length - 40} more addresses</p>` : null}
	</section>`;
}

function Number({ port, proto }) {
	const about = port?.[proto] ?? port?.tcp;
	if (!about)
		return null;
	const uses = about.uses ?? [];
	return html`<p class="about">${[about.iana_description, `${port.class} port`, port.ephemeral && 'ephemeral'].filter(x => x).join(' · ')}
		${uses.length ? html`<br /><span class="dim">used by ${uses.map(use => use.name ?? use.text ?? use).join('; ')}</span>` : null}</p>`;
}

function Body({ story, target, onRates }) {
	const proto = target.split('/')[0];
	const listening = story.sockets.filter(socket => !socket.peer_address);
	const shown = (listening.length ? listening : story.sockets).slice(0, 20);
	return html`
		<${Number} port=${story.port} proto=${proto} />
		${story.complete ? null : html`<p class="warn">Not all could be seen: ${story.missing.map(m => m.hint ?? `${m.what}: ${m.why}`).join('; ')}</p>`}
		${(story.remarks ?? []).map(remark => html`<p class=${QUIET.has(remark.what) ? 'remark' : 'remark warn'}>${remark.text}</p>`)}
		${story.sockets.length ? null : html`<p class="empty">Nothing is open here now.</p>`}
		${shown.map((socket, s) => html`<${Door} key=${socket.cookie ?? s} socket=${socket} now=${story.time} onRates=${onRates} />`)}
		<${Peers} connections=${story.connections ?? []} />`;
}

// @stamp changes when the row of the target changed or something was done, and the story is told anew.
export function Story({ target, netns, moment, stamp, acts, onClose, onAct, onRates, onCopy }) {
	const of = [target, netns, moment].join(' ');
	const [told, setTold] = useState({ of: '', story: null, error: null });
	const heading = useRef(null);
	useEffect(() => {
		const abort = new AbortController();
		askJson('story?' + query({ target, netns, moment: moment || '' }), { signal: abort.signal })
			.then(story => setTold({ of, story, error: null }))
			.catch(error => error.name !== 'AbortError' && setTold({ of, story: null, error }));
		return () => abort.abort();
	}, [target, netns, stamp, moment]);
	useEffect(() => heading.current?.focus({ preventScroll: true }), []);

	const isHere = told.of === of;         /* of another door it is not shown beneath this one's name */
	const service = isHere ? (told.story?.port?.[target.split('/')[0]]?.service ?? '') : '';
	const button = (action, word) => html`<button type="button" class=${action === 'close' ? 'danger' : ''}
		aria-disabled=${acts[action] ? 'true' : undefined} title=${acts[action] ?? undefined}
		onClick=${() => !acts[action] && onAct(action, { target, netns })}>${word}</button>`;
	return html`<aside class="story" aria-label=${`the story of ${target}`}>
		<header>
			<h2 tabindex="-1" ref=${heading}>${target}${service ? html` <span class="dim">${service}</span>` : null}</h2>
			<button type="button" class="quiet" aria-label="close the panel" onClick=${onClose}>×</button>
		</header>
		<div class="buttons">
			${button('close', 'Close…')}${button('block', 'Block…')}
			<button type="button" onClick=${() => onRates(target)}>Rates</button>
			<button type="button" disabled=${!isHere || !told.story?.text} onClick=${() => onCopy(told.story.text)}>Copy as text</button>
		</div>
		${acts.close ? html`<p class="dim small">Close: ${acts.close}</p>` : null}
		<div class="scroll" aria-busy=${!isHere}>
			${told.error && isHere ? html`<p class="warn">${told.error.what || told.error.message}${told.error.hint ? ` — ${told.error.hint}` : ''}</p>` : null}
			${isHere && told.story ? html`<${Body} story=${told.story} target=${target} onRates=${onRates} />` : isHere ? null : html`<p class="dim">asking…</p>`}
		</div>
	</aside>`;
}
