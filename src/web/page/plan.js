// Close, block and unblock: the plan with its consequences first, then the confirmation, then what became of it.
import { html, useEffect, useRef, useState } from './html.js';
import { askJson } from './api.js';
import { Dialog } from './keys.js';
import { endpoint } from './story.js';

const WAYS = [
	['auto', 'the gentlest way that frees it'], ['unit', 'stop its unit'], ['container', 'stop its container'],
	['process', 'end its process'], ['socket', 'the kernel ends the socket'], ['release', 'its process lets go of it'],
];
const TIMES = [['', 'until it is lifted'], ['60000', '1 minute'], ['600000', '10 minutes'], ['3600000', '1 hour'], ['86400000', '1 day']];
const WORDS = {
	close: { title: 'Close', button: 'Close it', done: 'Closed' },
	block: { title: 'Block', button: 'Block it', done: 'Blocked' },
	unblock: { title: 'Unblock', button: 'Lift the block', done: 'Lifted' },
};

function Options({ action, options, onChange }) {
	const set = (name, value) => onChange({ ...options, [name]: value });
	const box = (name, says) => html`<label class="check"><input type="checkbox" checked=${!!options[name]}
		onChange=${event => set(name, event.target.checked)} /> ${says}</label>`;
	if (action === 'unblock')
		return null;
	if (action === 'block')
		return html`<div class="options">
			<label>how long <select value=${options.for_ms ?? ''} onChange=${event => set('for_ms', event.target.value)}>
				${TIMES.map(([value, says]) => html`<option key=${value} value=${value}>${says}</option>`)}</select></label>
			<label>from whom <select value=${options.from ?? ''} onChange=${event => set('from', event.target.value)}>
				<option value="">everybody</option><option value="outside">whoever is outside of this host</option></select></label>
			${box('cut', 'end its connections too')}
		</div>`;
	return html`<div class="options">
		<label>how <select value=${options.by ?? 'auto'} onChange=${event => set('by', event.target.value)}>
			${WAYS.map(([value, says]) => html`<option key=${value} value=${value}>${value}: ${says}</option>`)}</select></label>
		${box('force', 'by force, where it will not otherwise')}
	</div>`;
}

function Step({ step }) {
	const holders = (step.holders ?? []).map(holder => `${holder.name} (pid ${holder.pid}, of ${holder.user ?? '?'})`);
	return html`<li class=${step.refused ? 'is-refused' : ''}>
		<b>${step.proto} ${endpoint(step.local_address, step.local_port)}${
			step.peer_address ? ` → ${endpoint(step.peer_address, step.peer_port)}` : ''}</b>
		${step.refused ? html`<p class="warn">is not done: ${step.because}${step.hint ? html`<br />${step.hint}` : null}</p>` : html`
			<p>by ${step.way}${step.object ? html`: <bdi>${step.object}</bdi>` : null}${step.because ? `, ${step.because}` : ''}</p>`}
		${holders.length ? html`<p class="dim">held by <bdi>${holders.slice(0, 6).join(', ')}</bdi>${
			holders.length > 6 ? ` and ${holders.length - 6} more` : ''}</p>` : null}
		${(step.consequences ?? []).map(text => html`<p class="follows">${text}</p>`)}
	</li>`;
}

function Result({ action, result }) {
	const steps = result.steps ?? [];
	return html`<ul class="steps" role="status">${steps.map(step => html`<li class=${step.outcome === 'free' ? 'is-done' : ''}>
		<b>${step.proto} ${endpoint(step.local_address, step.local_port)}</b>
		<p>${step.outcome === 'free' ? 'is free' : step.refused ? `was not touched: ${step.because}` : step.outcome ?? 'is unknown'}${
			step.remark ? `: ${step.remark}` : ''}</p></li>`)}
		${steps.length ? null : html`<li class="is-done"><p>${result.text || WORDS[action].done}</p></li>`}</ul>`;
}

function Refusal({ error }) {
	return html`<p class="warn" role="alert">${error.what || error.message}${error.why && error.why !== error.what ? `: ${error.why}` : ''}
		${error.hint ? html`<br /><em>${error.hint}</em>` : null}</p>`;
}

// Of a door, or of what a filter chooses: the plan shows each socket of it.
export function PlanDialog({ action, target, filter, netns, onSwitch, onClose, onDone }) {
	const [options, setOptions] = useState({});
	const [plan, setPlan] = useState(null);
	const [error, setError] = useState(null);
	const [result, setResult] = useState(null);
	const [isActing, setActing] = useState(false);
	const cancel = useRef(null);
	const words = WORDS[action];

	useEffect(() => {
		const abort = new AbortController();
		const body = { action, ...(filter ? { filter } : { target }), ...(netns ? { netns: Number(netns) } : {}) };
		for (const [name, value] of Object.entries(options))
			if (value !== '' && value !== false && !(name === 'by' && value === 'auto'))
				body[name] = name.endsWith('_ms') ? Number.parseInt(value, 10) : value;
		setPlan(null);
		setError(null);
		askJson('plan', { body, signal: abort.signal }).then(setPlan, refusal => refusal.name !== 'AbortError' && setError(refusal));
		return () => abort.abort();
	}, [options]);

	const act = async () => {
		if (!plan || isActing || plan.can_act === false)
			return;
		setActing(true);
		try {
			const done = await askJson('act', { body: { plan: plan.plan, identities: plan.identities } });
			setResult(done);
			onDone(action, target, done);
		} catch (refusal) {
			setError(refusal);
			setPlan(null);
		}
		setActing(false);
	};
	// the way out has the focus at first, and when there is no more to do
	useEffect(() => cancel.current?.focus(), [!!result]);

	const steps = plan?.steps ?? [];
	const what = filter ? `what ${filter} chooses` : target;
	return html`<${Dialog} label=${`${words.title} ${what}`} className="plan" onClose=${onClose}>
		<header><h2>${words.title} ${filter ? html`what <code>${filter}</code> chooses` : target}${steps.length > 1 ? html` <span class="dim">${steps.length} sockets</span>` : null}</h2></header>
		<div class="scroll">
			${result ? html`<${Result} action=${action} result=${result} />` : html`
				<${Options} action=${action} options=${options} onChange=${setOptions} />
				<div aria-live="polite" aria-busy=${!plan && !error}>
					${error ? html`<${Refusal} error=${error} />` : null}
					${!plan && !error ? html`<p class="dim">looking what that means…</p>` : null}
					${plan && !steps.length ? html`<p class="text">${plan.text || 'There is nothing to do.'}</p>` : null}
					<ul class="steps">${steps.slice(0, 50).map((step, s) => html`<${Step} key=${step.cookie || s} step=${step} />`)}</ul>
					${steps.length > 50 ? html`<p>and ${steps.length - 50} more</p>` : null}
				</div>`}
		</div>
		<footer>
			${action === 'block' && !result ? html`<button type="button" class="quiet first" onClick=${onSwitch}>Lift a block…</button>` : null}
			<button type="button" ref=${cancel} autofocus onClick=${onClose}>${result ? 'Done' : 'Cancel'}</button>
			${result ? null : html`<button type="button" class=${action === 'unblock' ? 'primary' : 'danger solid'} id="confirm"
				disabled=${!plan || isActing || plan.can_act === false} onClick=${act}>${isActing ? 'at it…' : words.button}</button>`}
		</footer>
	</${Dialog}>`;
}
