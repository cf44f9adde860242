// The walk through time: a moment of the record in place of now, which the view's link has too.
import { html, useCallback, useEffect, useRef, useState } from './html.js';
import { askJson } from './api.js';
import { since } from './text.js';

const STEP = 60000;
export const NOT_THEN = 'what was cannot be changed: go back to now first';
const STALE_MS = 10000;

// Milliseconds since 1970 of what the link says; 0: now.
export function momentOf(view) {
	const at = view.at ? Date.parse(view.at) : NaN;
	return Number.isFinite(at) && at > 0 ? Math.floor(at) : 0;
}

export const linkOf = moment => (moment ? new Date(moment).toISOString() : '');

export function dated(moment) {
	return new Date(moment).toLocaleString([], { dateStyle: 'medium', timeStyle: 'medium', hourCycle: 'h23' });
}

// What <input type=datetime-local> takes: local time, without a zone.
function localText(moment) {
	return linkOf(moment - new Date(moment).getTimezoneOffset() * 60000).slice(0, 19);
}

// From when to when there is a record, and how the view goes to a moment of it.
export function usePast(view, setView, isAllowed) {
	const moment = momentOf(view);
	const [span, setSpan] = useState(null);
	const [isOpen, setOpen] = useState(moment > 0);
	const asked = useRef(0);
	const isShown = isOpen || moment > 0;

	const ask = useCallback(() => {
		asked.current = Date.now();
		return askJson('past').then(told => {
			setSpan(told);
			return told;
		}, error => setSpan({ recorded: false, error }));
	}, []);
	useEffect(() => {
		if (isAllowed && isShown)
			ask();
	}, [isAllowed, isShown]);

	const go = to => setView({ at: linkOf(to) });
	const walk = async by => {
		setOpen(true);
		const known = span?.recorded && Date.now() - asked.current < STALE_MS ? span : await ask();
		if (!known?.recorded || !moment && by > 0)
			return;
		const newest = known.newest * 1000, to = (moment || newest) + by * STEP;
		go(to > newest ? 0 : Math.max(to, known.oldest * 1000));
	};
	return { moment, span, isShown, go, walk, open: () => setOpen(true), close: () => {
		setOpen(false);
		go(0);
	} };
}

// Where nobody recorded, as parts of the slider's length.
function Gaps({ span, oldest, newest }) {
	const part = at => Math.max(0, Math.min(100, (at - oldest) / (newest - oldest) * 100));
	return html`<div class="gaps" aria-hidden="true">${(span.gaps ?? []).map((gap, g) => {
		const from = part(gap.from * 1000), to = part((gap.to ?? span.newest) * 1000);
		return html`<i key=${g} title=${gap.why ?? ''} style=${{ left: `${from}%`, width: `max(2px, ${to - from}%)` }}></i>`;
	})}</div>`;
}

export function PastBar({ past }) {
	const { moment, span, go, walk } = past;
	const close = html`<button type="button" class=${moment ? 'primary' : ''} onClick=${past.close}>${moment ? 'Back to now' : 'Close'}</button>`;
	if (!span)
		return html`<section class="past-bar" aria-label="the past"><p class="dim">asking what is recorded…</p>${close}</section>`;
	if (!span.recorded)
		return html`<section class="past-bar" aria-label="the past">
			<p class="warn" role="alert">${span.error?.what || 'nothing is recorded'}${span.error?.hint ? html` <em>${span.error.hint}</em>` : null}</p>${close}</section>`;
	const oldest = Math.floor(span.oldest * 1000), newest = Math.max(oldest + 1000, Math.ceil(span.newest * 1000));
	const at = moment ? Math.max(oldest, Math.min(newest, moment)) : newest;
	return html`<section class="past-bar" aria-label="the past">
		<button type="button" class="quiet" aria-label="earlier" title="a minute earlier (<)" onClick=${() => walk(-1)}>‹</button>
		<div class="track">
			<${Gaps} span=${span} oldest=${oldest} newest=${newest} />
			<input type="range" id="moment" min=${oldest} max=${newest} step="1000" value=${at} aria-label="moment of the record"
				aria-valuetext=${moment ? dated(moment) : 'now'} onInput=${event => go(Number(event.target.value))} />
		</div>
		<button type="button" class="quiet" aria-label="later" title="a minute later (>)" disabled=${!moment} onClick=${() => walk(1)}>›</button>
		<input type="datetime-local" aria-label="date and time" step="1" value=${localText(at)} min=${localText(oldest)} max=${localText(newest)}
			onChange=${event => event.target.value && go(Date.parse(event.target.value))} />
		${close}
		<p class="dim small">${moment ? html`<b>As recorded on ${dated(moment)}</b>` : 'This is now.'} The record goes back ${
			since(span.oldest, Date.now() / 1000)}${span.recording ? '' : ', and nobody records now'}${
			span.n_gaps ? `; ${span.n_gaps} ${span.n_gaps === 1 ? 'gap' : 'gaps'} in it` : ''}.</p>
	</section>`;
}
