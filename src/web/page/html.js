// What every part that draws imports: markup in template strings, without a build step.
// A value in a template becomes a text node or an attribute, never markup, so a name from the host can be put there.
import { h, render } from '/vendor/preact.mjs';
import htm from '/vendor/htm.mjs';

export { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from '/vendor/hooks.mjs';
export { render };
export const html = htm.bind(h);
