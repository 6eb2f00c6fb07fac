'use strict';
// The explorer: a map of one scene's tiles. The world is a square of 256 units, as tile 0/0/0 shows it.
(async () => {
const $ = id => document.getElementById(id);
const SIDE = 256, COARSE = 2, RETRIES = 5, INNER = 6;  // INNER: the zoom at which an inner world is entered
const retina = L.Browser.retina;
const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
const crs = L.extend({}, L.CRS.Simple, { transformation: new L.Transformation(1, 0, 1, 0) });
const catalogue = (await (await fetch('/scenes.json')).json()).scenes;
const scenes = new Map(catalogue.map(scene => [scene.scene, scene]));
const FRAMING = ['x', 'y', 'zoom'], HIDDEN = [...FRAMING, 'shortcuts'];

// --- what is looked at: a scene, a view of it, parameters that differ, and what the world's square shows of the picture
// plane: `root`, its centre and zoom. That is the scene's first view, or where its tiles end a square deep inside it.
let now = { scene: 'mandelbrot', view: '', settings: {}, root: { x: 0, y: 0, zoom: 1 }, deepest: 0 };
const scene = () => scenes.get(now.scene);
const usual = (name, view = now.view) => scene().views[view][name] ?? scene().parameters[name].default;
const framing = view => Object.fromEntries(FRAMING.map(name => [name, Number(usual(name, view))]));
const home = () => framing(Object.keys(scene().views)[0]);

function query(more = {}) {
  return new URLSearchParams({ view: now.view, ...now.settings, ...now.root, ...more }).toString();
}

const map = L.map('map', {
  crs, minZoom: 0, maxZoom: 1, zoomControl: false, attributionControl: false, zoomAnimation: !still, fadeAnimation: !still,
  inertia: !still, maxBounds: [[-SIDE, -SIDE], [2 * SIDE, 2 * SIDE]], keyboardPanDelta: 120, wheelPxPerZoomLevel: 90,
});
map.setView([SIDE / 2, SIDE / 2], 1);
L.control.zoom({ position: 'topleft', zoomInTitle: 'Closer', zoomOutTitle: 'Farther' }).addTo(map);

// --- layers: the fine tiles, and under them coarse ones, which are few and there at once
let layers = [];
function makeLayer(coarse) {
  const deepest = now.deepest - (retina ? 1 : 0);
  const layer = L.tileLayer(`/tiles/${now.scene}/{z}/{x}/{y}${coarse ? '' : '{r}'}.png?${query()}`, {
    tileSize: coarse ? SIDE << COARSE : SIDE, zoomOffset: coarse ? -COARSE : 0, minZoom: coarse ? COARSE + 1 : 0,
    maxZoom: deepest, bounds: [[0, 0], [SIDE, SIDE]], noWrap: true, keepBuffer: coarse ? 0 : 1,
    updateWhenIdle: false, updateInterval: 150, zIndex: coarse ? 1 : 2,
  });
  const tries = new WeakMap();
  layer.on('tileerror', ({ tile }) => {       // too much to do: come back, later each time
    const n = (tries.get(tile) ?? 0) + 1;
    tries.set(tile, n);
    if (n <= RETRIES) setTimeout(() => { if (tile.isConnected) tile.src = `${tile.src.split('#')[0]}#${n}`; }, 400 * 2 ** n);
  });
  layer.on('tileloadstart tileload tileerror tileunload loading load', showLoading);
  return layer;
}

function swapLayers(stay) {                   // what is there stays until what comes is complete, where it fits
  const old = layers;
  if (!stay) for (const layer of old.splice(0)) layer.remove();
  layers = [makeLayer(true), makeLayer(false)];
  const drop = () => { for (const layer of old) layer.remove(); };
  layers[1].once('load', drop);
  if (old.length) setTimeout(drop, 8000);
  for (const layer of layers) layer.addTo(map);
}

function showLoading() {
  const open = layers.reduce((n, layer) => n + Object.values(layer._tiles ?? {}).filter(tile => !tile.loaded).length, 0);
  $('loading').hidden = !open;
  $('loading').textContent = open === 1 ? '1 tile to come' : `${open} tiles to come`;
}

// --- places: units of the map, and points of the picture plane; `scale` is the zoom of a square of SIDE pixels
function toPlane({ lat, lng }) {
  const { x, y, zoom } = now.root;
  return { x: x + (lng / SIDE - .5) * 4 / zoom, y: y - (lat / SIDE - .5) * 4 / zoom };
}
function toMap({ x, y }) {
  const at = now.root;
  return [((at.y - y) * at.zoom / 4 + .5) * SIDE, ((x - at.x) * at.zoom / 4 + .5) * SIDE];
}
const place = () => {                         // to a thousandth of a pixel: more digits would only be noise
  const { x, y } = toPlane(map.getCenter()), scale = now.root.zoom * 2 ** map.getZoom();
  const digits = Math.min(Math.max(Math.ceil(Math.log10(scale * SIDE)) + 3, 0), 20);
  return { x: Number(x.toFixed(digits)), y: Number(y.toFixed(digits)), scale };
};
const framed = () => {                        // what the map shows now, as the program frames a picture
  const { x, y, scale } = place();
  return { x, y, zoom: scale * SIDE / map.getSize().y };
};
const deepestOf = zoom => zoom - (retina ? 1 : 0);
const depth = ({ scale }, root) => Math.max(0, Math.round(Math.log2(scale / root.zoom)));

function rootFor(at) {                        // the whole scene, or where it has no such depth a square around the place
  const whole = home();
  return depth(at, whole) <= deepestOf(scene().maxzoom) ? whole : { x: at.x, y: at.y, zoom: at.scale / 2 ** INNER };
}

async function open(next, at) {
  now = { ...now, scene: next.scene, view: next.view, settings: next.settings ?? {} };
  if (!scenes.has(now.scene)) now.scene = catalogue[0].scene;
  if (!scene().views[now.view]) now.view = Object.keys(scene().views)[0];
  fillPanel();
  if (!at) {
    const { x, y, zoom } = framing(now.view), size = map.getSize();
    at = { x, y, scale: home().zoom * 2 ** Math.ceil(Math.log2(zoom * Math.min(size.x, size.y) / SIDE / home().zoom) - .35) };
  }
  await move(at, rootFor(at));
}

async function move(at, root) {
  now.root = root;
  await settle(false);
  map.setView(toMap(at), Math.min(depth(at, root), map.getMaxZoom()), { animate: false });
}

async function settle(stay = true) {          // asks how deep this world goes, and shows it
  const described = await fetch(`/tiles/${now.scene}.json?${query()}`);
  const told = await described.json();
  if (!described.ok) { say(told.error); return; }
  now.deepest = told.maxzoom;
  map.setMaxZoom(deepestOf(now.deepest));
  swapLayers(stay);
  say(scene().about);
}
const say = text => { $('about').textContent = text; };

let moving = false;
async function relocate() {                   // where one world ends, another one goes on
  const at = place(), { lat, lng } = map.getCenter(), z = map.getZoom();
  const outside = Math.max(Math.abs(lat / SIDE - .5), Math.abs(lng / SIDE - .5)) > .45;
  const inner = now.root.zoom !== home().zoom;
  const deeper = z >= map.getMaxZoom() && scene().precision === 'f64' && z > INNER + 1;
  if (moving || !(deeper || (inner && (outside || z < 2)))) return;
  moving = true;
  try { await move(at, deeper ? { x: at.x, y: at.y, zoom: at.scale / 2 ** INNER } : rootFor(at)); } finally { moving = false; }
}

// --- the panel
function option(select, value, text = value) {
  const made = new Option(text, value);
  select.add(made);
}
function fillPanel() {
  $('scene').replaceChildren(); $('view').replaceChildren(); $('parameters').replaceChildren(); $('palette').replaceChildren();
  for (const name of scenes.keys()) option($('scene'), name, name.replaceAll('_', ' '));
  for (const name of Object.keys(scene().views)) option($('view'), name);
  $('scene').value = now.scene; $('view').value = now.view;
  const parameters = scene().parameters;
  $('palette-row').hidden = !parameters.palette;
  for (const choice of parameters.palette?.choices ?? []) option($('palette'), choice);
  if (parameters.palette) $('palette').value = now.settings.palette ?? usual('palette');
  for (const [name, about] of Object.entries(parameters)) {
    if (HIDDEN.includes(name) || name === 'palette') continue;
    $('parameters').append(parameterRow(name, about));
  }
  const limit = scene().views[now.view].limit ?? scene().limit;
  $('parameters').append(parameterRow('limit', { default: limit, lowest: 1, highest: Math.max(20000, limit), choices: [], about: 'Most steps of a sample.' }));
}
function parameterRow(name, about) {
  const row = document.createElement('p'), label = document.createElement('label');
  const input = document.createElement(about.choices.length ? 'select' : 'input');
  row.className = 'row'; row.title = about.about;
  label.textContent = name.replaceAll('_', ' '); label.htmlFor = input.id = `p-${name}`;
  if (about.choices.length) for (const choice of about.choices) option(input, choice);
  else Object.assign(input, { type: 'number', min: about.lowest, max: about.highest, step: 'any' });
  input.value = now.settings[name] ?? (name === 'limit' ? about.default : usual(name));
  let timer = 0;
  input.addEventListener('input', () => { clearTimeout(timer); timer = setTimeout(() => choose(name, input), 300); });
  row.append(label, input);
  return row;
}
async function choose(name, input) {
  if (!input.checkValidity() || input.value === '') return;
  const standard = name === 'limit' ? scene().views[now.view].limit ?? scene().limit : usual(name);
  if (String(standard) === input.value) delete now.settings[name]; else now.settings[name] = input.value;
  await settle();
  showTaken();
}
$('scene').addEventListener('change', () => open({ scene: $('scene').value, view: '' }));
$('view').addEventListener('change', () => open({ scene: now.scene, view: $('view').value }));
$('palette').addEventListener('change', () => choose('palette', $('palette')));
$('reset').addEventListener('click', () => { now.settings = {}; fillPanel(); settle().then(showTaken); });
$('panel').addEventListener('submit', event => event.preventDefault());

// --- to take away: link, command, picture
const word = text => (/^[\w.+\/:=-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);
function showTaken() {
  const at = framed(), { x, y } = map.getSize(), { limit, ...set } = now.settings;
  const words = ['python -m render', '--scene', word(scene().own_file ? `${now.scene}.py` : now.scene), '--view', word(now.view)];
  for (const [name, value] of Object.entries({ ...set, ...at })) words.push('--set', word(`${name}=${value}`));
  if (limit) words.push('--limit', limit);
  words.push('--size', `${x}x${y}`);
  $('command').value = words.join(' ');
  const size = { width: $('width').value || 1, height: $('height').value || 1 };
  $('download').href = `/picture/${now.scene}.png?${query({ ...at, ...size })}`;
  history.replaceState(null, '', `#${new URLSearchParams({ scene: now.scene, view: now.view, ...now.settings, ...place() })}`);
}
async function copy(text, what) {
  try { await navigator.clipboard.writeText(text); $('copied').textContent = `${what} copied`; }
  catch { $('copied').textContent = 'copying is not allowed here: select it'; $('command').select(); }
}
$('link').addEventListener('click', () => copy(location.href, 'Link'));
$('copy').addEventListener('click', () => copy($('command').value, 'Command'));
for (const side of ['width', 'height']) $(side).addEventListener('input', showTaken);
map.on('moveend', () => { showTaken(); relocate(); });
$('take').addEventListener('toggle', () => $('take').scrollIntoView({ block: 'nearest' })); // it opens below the panel's edge

function fromLink() {
  const { scene: name = 'mandelbrot', view = '', x, y, scale, ...settings } = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
  const at = { x: Number(x), y: Number(y), scale: Number(scale) };
  return open({ scene: name, view, settings }, x !== undefined && at.scale > 0 && Number.isFinite(at.x + at.y) ? at : null);
}
addEventListener('hashchange', fromLink);
await fromLink();
globalThis.explorer = { map, get layers() { return layers; }, get now() { return now; } };
})();
