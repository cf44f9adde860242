// Where the page begins: the token leaves the address bar before anything else happens.
import { takeToken } from './token.js';

takeToken();
const { start } = await import('./app.js');
start(document.getElementById('app'));
