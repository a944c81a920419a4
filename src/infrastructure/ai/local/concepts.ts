import type { Category } from '../vocabulary.js';
import { stem } from './stemmer.js';

/**
 * A small hand-made lexicon of what people look for in their pictures and videos. It is no thesaurus: a word stands
 * here because somebody would search for its neighbour (`ocean` for `beach`, `puppy` for `dog`, `bill` for `invoice`).
 * Besides English it holds the plain German, French, Spanish and Italian words, so that a query in one language finds
 * labels in another; words that mean something else in English (`gift`, `rot`, `chat`, `mare`) are left out.
 *
 * One line: name, `<` its broader concepts, `@` the category it speaks for, `=` its words.
 */
const LEXICON = `
sea < water @nature = sea ocean marine seaside coast coastal coastline beach shore seashore wave tide surf surfing bay meer strand kuste ozean mer plage ocean playa oceano spiaggia onda
lake < water @nature = lake pond lagoon reservoir see teich lac etang lago estanque laghetto
river < water @nature = river stream creek brook waterfall cascade rapids fluss bach wasserfall riviere fleuve rio cascada fiume cascata
water @nature = water swim swimming pool dive diving underwater wet splash wasser schwimmen eau nager agua nadar acqua nuotare
mountain < landscape @nature = mountain hill peak summit ridge alps alpine cliff valley canyon hike hiking climb climbing trek trail berg gebirge gipfel montagne colline sommet montana cerro montagna collina
forest < plant @nature = forest wood woods woodland jungle tree trees oak pine birch grove wald baum baume foret arbre bosque arbol foresta bosco albero
flower < plant @nature = flower blossom bloom rose tulip daisy sunflower petal bouquet orchid blume blumen blute fleur fleurs flor flores fiore fiori
plant @nature = plant leaf leaves grass garden gardening meadow bush moss fern cactus botanical pflanze garten wiese plante jardin herbe planta hierba pianta giardino erba
landscape @nature = landscape scenery scenic nature natural outdoors outdoor wilderness countryside rural field landschaft natur paysage campagne paisaje naturaleza paesaggio natura campagna
desert < landscape @nature = desert dune sand sandy wuste desierto deserto
sky @nature = sky cloud clouds cloudy heaven himmel wolke wolken ciel nuage cielo nube nuvola
sun < sky @nature = sun sunny sunshine sunlight sonne sonnig soleil soleado
sunset < sun @nature = sunset sunrise dusk dawn twilight sundown sonnenuntergang sonnenaufgang coucher atardecer amanecer tramonto alba
rain < weather @nature = rain rainy storm thunder thunderstorm lightning umbrella flood regen sturm gewitter pluie orage lluvia tormenta pioggia temporale
snow < winter weather @nature = snow snowy snowfall snowman ski skiing sledge sled blizzard schnee neige nieve neve
ice < winter @nature = ice icy frozen frost glacier iceberg eis gletscher glace hielo ghiaccio
winter @nature = winter cold wintry hiver invierno inverno
summer @nature = summer hot heat sommer ete verano estate
autumn @nature = autumn fall foliage herbst automne otono autunno
spring @nature = spring springtime fruhling printemps primavera
weather @nature = weather fog foggy mist misty wind windy wetter nebel brouillard niebla nebbia
fire @nature = fire flame flames burning campfire bonfire smoke feuer rauch flamme fumee fuego humo fuoco fumo
space @nature = space star stars moon galaxy planet astronomy telescope milky eclipse rocket astronaut stern mond etoile lune estrella luna stella
night < dark = night nighttime midnight evening nacht abend nuit soir noche notte sera
dark = dark darkness dim gloomy shadow shadowy dunkel schatten sombre obscur oscuro sombra scuro ombra
bright = bright light lit luminous glowing brilliant hell licht lumineux clair brillante luz chiaro luminoso
dog < animal pet @nature = dog puppy hound canine terrier retriever poodle labrador bulldog hund welpe chien chiot perro cachorro cagnolino
cat < animal pet @nature = cat kitten kitty feline tabby katze katzchen chaton gato gatito gatto gattino
pet < animal @nature = pet pets hamster guinea haustier mascota
horse < animal @nature = horse pony foal stallion riding equestrian pferd reiten cheval caballo cavallo
bird < animal @nature = bird parrot eagle owl duck goose swan pigeon seagull sparrow hen rooster chicken feather vogel ente oiseau canard pajaro pato uccello anatra
fish < animal sea @nature = fish shark whale dolphin salmon aquarium coral reef fisch hai poisson requin pez tiburon pesce squalo
farm < animal @nature = cow cattle bull sheep lamb goat pig farm barn livestock tractor kuh schaf schwein bauernhof vache mouton cochon vaca oveja cerdo mucca pecora maiale
wild < animal @nature = lion tiger elephant giraffe zebra monkey gorilla bear wolf fox deer rabbit bunny hare squirrel safari zoo wildlife lowe elefant bar hase kaninchen lapin ours leon elefante conejo oso leone coniglio orso
insect < animal @nature = insect butterfly bee bug spider ant beetle dragonfly ladybug insekt schmetterling biene papillon abeille mariposa abeja farfalla
animal @nature = animal animals creature beast fauna tier tiere animaux animales animali
baby < child @people = baby infant newborn toddler saugling bebe neonato
child < person @people = child children kid kids boy girl schoolboy schoolgirl kind kinder junge madchen enfant garcon fille nino nina bambino bambina ragazzo ragazza
woman < person @people = woman women lady female girl wife mother mom mum grandmother frau mutter femme mere mujer madre donna
man < person @people = man men gentleman male guy husband father dad grandfather mann vater homme pere hombre padre uomo
family < person @people = family parents siblings brother sister relatives reunion familie eltern famille familia famiglia
friend < person @people = friend friends buddy together companion freund freunde ami amis amigo amigos amico amici
crowd < person @people = crowd audience gathering group people menschenmenge foule multitud folla
face < person @people = face portrait selfie headshot smile smiling laugh laughing eyes hair gesicht lacheln visage sourire cara sonrisa volto viso sorriso
person @people = person people human persons individual adult menschen mensch personne gens persona personas gente persone
wedding < party @events = wedding bride groom marriage engagement hochzeit braut mariage boda novia matrimonio sposa
birthday < party @events = birthday cake candles geburtstag anniversaire cumpleanos compleanno
christmas < party winter @events = christmas xmas santa advent weihnachten noel navidad natale
party @events = party celebration celebrate festival carnival fireworks dance dancing festive feier feiern fete fiesta festa
concert < music @events = concert gig stage band orchestra singer performance konzert buhne concierto concerto
music @events = music song sing singing guitar piano violin drum drums melody musik lied gitarre musique chanson guitare musica cancion guitarra canzone chitarra
sport @events = sport sports game match team stadium athlete training championship tournament medal spiel mannschaft jeu equipe deporte partido equipo partita squadra
football < sport ball @events = football soccer goal goalkeeper striker fussball calcio futbol
tennis < sport ball @events = tennis badminton racket squash
basketball < sport ball @events = basketball hoop dunk baloncesto
ball = ball balls volleyball baseball cricket golf ballon pelota palla
cycling < sport vehicle = bicycle bike cyclist cycling fahrrad velo bicicleta bicicletta
running < sport = run running runner jog jogging marathon sprint laufen courir correr correre
fitness < sport = gym fitness workout yoga exercise weights turnen
car < vehicle traffic = car cars automobile auto sedan suv cab taxi driving drive wagen pkw voiture coche carro macchina
truck < vehicle traffic = truck lorry van trailer delivery lkw lastwagen camion
bus < vehicle traffic = bus coach minibus autobus
motorcycle < vehicle traffic = motorcycle motorbike scooter moped motorrad moto motocicleta
train < vehicle = train railway railroad tram subway metro locomotive station zug bahn bahnhof gare tren treno stazione
plane < vehicle travel = plane airplane aircraft jet airport flight pilot helicopter drone flugzeug flughafen avion aeroport aeropuerto aereo aeroporto
boat < vehicle sea = boat ship yacht sail sailing sailboat ferry canoe kayak harbor harbour port schiff boot hafen bateau navire barco nave barca
vehicle = vehicle vehicles transport transportation fahrzeug vehicule vehiculo veicolo
traffic @places = traffic highway motorway intersection crossroads parking congestion verkehr stau autobahn circulation trafico traffico
street < city @places = street road avenue lane sidewalk pavement crosswalk alley strasse weg rue chemin calle camino strada via
city @places = city town urban downtown skyline metropolis skyscraper stadt ville ciudad citta
building < city @places = building house home tower apartment architecture facade roof window door haus gebaude turm maison immeuble casa edificio torre palazzo
church < building @places = church cathedral temple mosque chapel monastery synagogue kirche dom eglise iglesia chiesa
castle < building @places = castle palace fortress ruins monument museum schloss burg chateau castillo castello
bridge < city @places = bridge brucke pont puente ponte
room < building @places = room interior indoor indoors kitchen bedroom bathroom living furniture sofa couch chair table bed zimmer kuche stuhl tisch chambre cuisine chaise habitacion cocina silla mesa camera cucina sedia tavolo
travel @places = travel trip journey vacation holiday holidays tourist tourism hotel resort luggage suitcase passport camping tent reise urlaub voyage vacances viaje vacaciones viaggio vacanza
food @food = food meal dish dinner lunch breakfast eat eating cook cooking restaurant recipe plate snack essen mahlzeit nourriture repas comida cena cibo pranzo
fruit < food @food = fruit apple banana orange strawberry berry grape lemon pear cherry obst apfel frucht pomme fraise fruta manzana frutta mela
vegetable < food @food = vegetable salad tomato potato carrot onion pepper lettuce gemuse salat legume verdura ensalada insalata
meat < food @food = meat steak beef pork sausage barbecue bbq grill burger fleisch wurst viande carne
bread < food @food = bread bakery pastry croissant sandwich toast brot brotchen boulangerie
pasta < food @food = pasta pizza spaghetti noodles rice sushi ramen nudeln reis pates arroz riso
dessert < food @food = dessert cake cookie chocolate candy icecream sweet pie kuchen schokolade gateau pastel torta
drink < food @food = drink drinks beverage glass cup bottle juice wine beer cocktail milk getrank flasche wein bier boisson bouteille vin biere bebida botella vino cerveza bevanda bottiglia birra
coffee < drink @food = coffee espresso cappuccino latte cafe tea kaffee tee the caffe
invoice < money document @documents = invoice bill receipt tax vat subtotal total payment paid due amount rechnung quittung beleg betrag mwst facture recu montant factura recibo fattura ricevuta scontrino importo
document @documents = document paper letter form contract certificate report page scan pdf signature agreement statement application dokument vertrag brief urkunde bescheinigung lettre contrat documento contrato carta contratto lettera
money = money cash coin coins banknote bank wallet price cost dollar euro geld munze preis argent prix dinero precio soldi prezzo
book @documents = book books read reading novel library chapter magazine newspaper buch bucher bibliothek zeitung livre bibliotheque journal libro biblioteca giornale
map @documents = map atlas navigation route gps landkarte karte carte mapa mappa
screenshot < computer @screenshots = screenshot screencast screen desktop browser website webpage app interface window bildschirm capture pantalla schermata
computer < technology = computer laptop notebook keyboard mouse monitor pc software code programming server rechner ordinateur ordenador
phone < technology = phone smartphone telephone mobile cellphone iphone android handy telefon telefono
technology = technology device electronic electronics robot gadget chip machine technik maschine technologie tecnologia
camera < technology = camera photographer lens tripod kamera appareil fotocamera
work @work = work office business meeting conference presentation slide slides whiteboard colleague workshop seminar desk arbeit buro besprechung sitzung vortrag bureau travail reunion trabajo oficina presentacion lavoro ufficio riunione
school @work = school classroom teacher student university lecture lesson homework exam education graduation schule lehrer unterricht ecole professeur escuela maestro scuola insegnante
tool < industry @work = tool tools hammer drill workshop repair construction worksite crane builder werkzeug baustelle outil chantier herramienta attrezzo cantiere
industry @work = factory industry industrial warehouse manufacturing engine fabrik industrie usine fabrica fabbrica
chart @work = chart graph diagram table statistics spreadsheet plot diagramm tabelle grafik graphique grafico tabla
medicine = doctor hospital medical medicine nurse patient health clinic arzt krankenhaus medecin hopital medico ospedale
shopping < product @products = shop store shopping market supermarket mall sale laden geschaft markt magasin marche tienda mercado negozio mercato
product @products = product package packaging box brand label shelf bottle can produkt verpackung regal produit emballage producto prodotto
clothes < product @products = clothes clothing fashion dress shirt jacket coat jeans trousers pants hat cap shoe shoes boots sneakers kleidung kleid schuh hemd vetement robe chaussure ropa vestido zapato vestiti scarpa
jewelry < product @products = jewelry jewellery ring necklace earring bracelet watch diamond schmuck bijou joya gioiello
toy < product child @products = toy toys doll lego puzzle teddy spielzeug jouet juguete giocattolo
art @art = art painting drawing sketch illustration sculpture statue gallery graffiti mural poster design artist canvas kunst gemalde zeichnung plakat peinture dessin affiche arte pintura dibujo pittura disegno
cartoon < art @art = cartoon comic animation animated anime manga zeichentrick dessin
logo < art @art = logo icon emblem banner flyer infographic
red = red crimson scarlet ruby maroon rouge rojo rosso
orange = orange amber tangerine naranja arancione
yellow = yellow golden gold lemon gelb jaune amarillo giallo
green = green emerald lime olive grun vert verde
blue = blue navy azure cyan turquoise teal blau bleu azul blu azzurro
purple = purple violet lilac lavender magenta violett lila pourpre morado viola
pink = pink rose fuchsia rosa
brown = brown chestnut beige tan bronze braun brun marron castano marrone
white = white ivory snowy weiss blanc blanco bianco
black = black ebony schwarz noir negro nero
gray = gray grey silver ash grau gris grigio
monochrome < black white gray = monochrome grayscale greyscale schwarzweiss
happy = happy happiness joy joyful cheerful fun glad delighted smile glucklich freude heureux joie feliz alegria felice gioia
sad = sad sadness cry crying tears unhappy lonely grief traurig triste tristesse tristeza
old = old ancient antique vintage retro historic historical alt vieux ancien viejo antiguo vecchio antico
big = big large huge giant enormous gross grand grande enorme
small = small little tiny mini klein petit pequeno piccolo
fast = fast quick speed rapid racing race schnell rapide rapido veloce
war = war army soldier military tank weapon gun rifle pistol krieg soldat waffe guerre armee guerra ejercito arma esercito
police = police officer cop patrol crime arrest polizei policia polizia
text = text writing handwriting sign caption subtitle words schrift texte texto scritta
news = news interview reporter journalist broadcast nachrichten nouvelles noticias notizie
speech = speech talk speaking speaker talking conversation discussion podcast rede gesprach discours conversation discurso discorso
love = love heart kiss romance romantic couple valentine liebe herz kuss amour coeur baiser amor corazon beso amore cuore bacio
sleep = sleep sleeping asleep bed nap dream tired schlafen traum dormir reve sueno dormire sogno
`;

export interface Concept {
  name: string;
  /** Names of concepts that include this one, e.g. `animal` for `dog`. */
  broader: readonly string[];
  category: Category | null;
}

const LINE = /^(\w+)(?: < ([\w ]+?))?(?: @(\w+))? = (.+)$/;

function parse(): Map<string, Concept[]> {
  const byStem = new Map<string, Concept[]>();
  for (const line of LEXICON.trim().split('\n')) {
    const match = LINE.exec(line);
    if (match === null) throw new Error(`the concept lexicon cannot be read at: ${line}`);
    const [, name = '', broader, category, words = ''] = match;
    const concept: Concept = {
      name,
      broader: broader?.split(' ') ?? [],
      category: (category as Category | undefined) ?? null,
    };
    for (const stemmed of new Set(words.split(' ').map(stem))) {
      byStem.set(stemmed, [...(byStem.get(stemmed) ?? []), concept]);
    }
  }
  return byStem;
}

const CONCEPTS_BY_STEM = parse();

/** The concepts that a stem (see stemmer.ts) belongs to; most words belong to none. */
export function conceptsOf(stemmed: string): readonly Concept[] {
  return CONCEPTS_BY_STEM.get(stemmed) ?? [];
}

/** Every concept's name, with its category: for checks. */
export function allConcepts(): Concept[] {
  return [...new Set([...CONCEPTS_BY_STEM.values()].flat())];
}
