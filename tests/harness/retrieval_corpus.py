"""A small corpus of our own sentences, and questions that use other words than the answers.

Some questions share no word with their passage, so that only its meaning finds it; some hold a
number or a name that means nothing, so that only its words do. Topics come in groups, whose members
are each other's distractors.
"""

import random
from collections.abc import Iterator
from typing import Final

_SEED: Final = 5

_TOLD: Final = (
    (
        "Cover young tomato plants with fleece on cold nights, or ice will kill the leaves.",
        "How can I protect seedlings from frost?",
    ),
    (
        "Slugs avoid copper tape, and a ring of it around each lettuce keeps them away.",
        "What stops snails eating my salad?",
    ),
    (
        "Roses are cut back in late winter, just above a bud that faces outwards.",
        "When should I prune the bushes with thorny flowers?",
    ),
    (
        "The compost heap needs turning each month so that air gets in and it does not smell.",
        "Why does the pile of kitchen scraps stink?",
    ),
    (
        "Water the orchard early in the morning, before the sun dries the ground.",
        "What time of day is best for irrigating fruit trees?",
    ),
    (
        "Bees that swarm in May may be lured into an empty hive with lemongrass oil.",
        "How do I catch a colony of honey insects?",
    ),
    (
        "If the engine overheats, stop and let the radiator cool before opening it.",
        "What should a driver do when the motor gets too hot?",
    ),
    (
        "Tyres lose grip on wet asphalt once their tread is thinner than three millimetres.",
        "Are worn wheels dangerous in the rain?",
    ),
    (
        "The brake fluid absorbs water and has to be replaced every second year.",
        "How often must the liquid in the stopping system be renewed?",
    ),
    (
        "A flat battery can be started with cables from another car, red to plus first.",
        "How do I jump a vehicle that has no power?",
    ),
    (
        "Headlights turn cloudy with age and can be polished with toothpaste.",
        "How do I clean dull lamps on my automobile?",
    ),
    (
        "Children under twelve must travel in a seat that fits their height.",
        "Which chair does a kid need when riding along?",
    ),
    (
        "Employees may stay at home for three days before a doctor's note is required.",
        "How long can workers be ill without a medical certificate?",
    ),
    (
        "Unused holidays expire at the end of March of the following year.",
        "By when do I have to take my remaining vacation?",
    ),
    (
        "Travel by train is refunded in second class; taxis only after ten at night.",
        "Does the company reimburse a cab ride?",
    ),
    (
        "New colleagues receive their laptop and badge at reception on the first morning.",
        "Where does a recruit pick up the computer?",
    ),
    (
        "Salaries are transferred on the twenty-fifth, or the working day before it.",
        "On which date do we get paid?",
    ),
    (
        "Either side may end the contract with a notice of three months.",
        "How early must I announce that I quit my job?",
    ),
    (
        "Parents can share fourteen months of leave after a birth.",
        "How much time off is there for a new baby?",
    ),
    (
        "Passwords must have fourteen characters, and are never sent by mail.",
        "How long should a secret login phrase be?",
    ),
    (
        "Lost phones are to be reported at once, so that they can be wiped from afar.",
        "My mobile was stolen. What now?",
    ),
    (
        "Backups run every night, and one a week is kept in another city.",
        "Where are copies of our data stored in case of fire?",
    ),
    (
        "Visitors use a wireless network of their own that reaches the internet only.",
        "Which wifi may guests connect to?",
    ),
    (
        "Do not open attachments from strangers; forward them to the security desk.",
        "What do I do with a suspicious email?",
    ),
    (
        "Let the dough rest until it has doubled, which takes two hours in a warm kitchen.",
        "How long does bread have to rise?",
    ),
    (
        "Boil the pasta in plenty of salted water and take it out while it still has some bite.",
        "How do I cook spaghetti so that it is not mushy?",
    ),
    (
        "An egg is fresh if it sinks in a glass of water and rotten if it floats.",
        "How can I tell whether something laid by a hen has gone bad?",
    ),
    (
        "Rub the steak with oil, sear it in a very hot pan and leave it to rest.",
        "What is the way to fry beef?",
    ),
    (
        "Cream curdles in soup that boils: stir it in after the heat is off.",
        "When do I add dairy to a hot broth?",
    ),
    (
        "Onions make no tears if the knife is sharp and the bulbs were chilled.",
        "How do I avoid crying while chopping vegetables?",
    ),
    (
        "Cut chillies with gloves, and wash hands with oil before touching the eyes.",
        "How can I keep spicy peppers from burning my skin?",
    ),
    (
        "The cat should see a vet for injections against influenza once a year.",
        "How frequently does a kitten need vaccination?",
    ),
    (
        "Chocolate is poison for dogs, even a small bar of it.",
        "Which sweets are harmful to puppies?",
    ),
    (
        "Goldfish need at least fifty litres, and a bowl is too small for them.",
        "How big should an aquarium be?",
    ),
    (
        "Horses sleep standing, with knees that lock, and lie down for dreams alone.",
        "Do mares rest on their feet?",
    ),
    (
        "Owls turn their heads by three quarters of a circle since their eyes cannot move.",
        "Why can some birds look behind themselves?",
    ),
    (
        "Bats find moths in the dark by the echo of their own cries.",
        "How do flying mammals hunt at night?",
    ),
    (
        "The moon pulls at the oceans, which is why the sea comes and goes twice a day.",
        "What causes tides?",
    ),
    (
        "Iron goes red and crumbles when air and moisture reach it.",
        "Why does metal rust?",
    ),
    (
        "Thunder comes after the flash because sound is slower than light.",
        "Why do we hear a storm later than we see it?",
    ),
    (
        "Plants take in carbon dioxide and give off oxygen while the sun shines.",
        "Which gas do leaves release in daylight?",
    ),
    (
        "A year is longer on Mars: it takes the planet 687 days to go around the sun.",
        "How long is an orbit of the red planet?",
    ),
    (
        "Glaciers shrink where more snow melts in summer than falls in winter.",
        "Why is mountain ice disappearing?",
    ),
    (
        "A fever above forty degrees calls for a doctor without delay.",
        "At what body temperature should I see a physician?",
    ),
    (
        "Hold a burn under running cool water for ten minutes, and put no butter on it.",
        "What is first aid for scalded skin?",
    ),
    (
        "If somebody chokes, strike five times between the shoulder blades.",
        "How can I help a person with food stuck in the throat?",
    ),
    (
        "Adults who sleep fewer than six hours fall ill more easily.",
        "Is it unhealthy to get too little rest at night?",
    ),
    (
        "Nosebleeds stop if one leans forward and pinches the nostrils.",
        "What should I do about blood from my nose?",
    ),
    (
        "Rent is due on the third of the month, and a reminder costs five francs.",
        "When must tenants pay the landlord?",
    ),
    (
        "The deposit is returned within sixty days of handing over the keys.",
        "When do I get my security money back after moving out?",
    ),
    (
        "No music after ten in the evening; drilling is allowed on weekdays only.",
        "What are the quiet hours in the building?",
    ),
    (
        "The boiler in the cellar is serviced each autumn before the heating season.",
        "Who looks after the furnace, and when?",
    ),
    (
        "Bulky rubbish is collected on the first Tuesday if it is registered.",
        "How do I get rid of an old sofa?",
    ),
    (
        "Bicycles stand in the shed behind the house and not in the stairwell.",
        "Where may residents park their bikes?",
    ),
    (
        "Mrs Okonkwo-Lindqvist signs for deliveries on Fridays.",
        "Okonkwo-Lindqvist",
    ),
    (
        "Mr Lindqvist signs for deliveries on Mondays, and Ms Okonkwo for letters.",
        "Who signs for letters?",
    ),
    (
        "The ferry to Brannholm leaves at seven, at noon and at five from the south pier.",
        "When does the ferry to Brannholm leave?",
    ),
    (
        "The ferry to Skarvik leaves every two hours from the north pier.",
        "From which pier does the ferry to Skarvik leave?",
    ),
    (
        "Ticket refunds for the ferry are paid within a week, except on public holidays.",
        "ferry ticket refunds",
    ),
    (
        "The library lends films for three days and books for four weeks.",
        "For how many weeks does the library lend books?",
    ),
    (
        "Library cards cost nothing for pupils and ten francs a year for everybody else.",
        "What does a library card cost for pupils?",
    ),
)

DISTRACTORS: Final = (
    "When it rains, the protected area of the garden stays dry, and the best time to rest is now.",
    "What should be done first is often what takes long, and how it is done is a matter of time.",
    "Which one of them may do it, and when, is a question that the company has not answered.",
    "A driver who gets home at night should see to the lamps, and a kid needs a chair.",
    "How do I do this? How often, how long, how early, how big? Most people ask it twice.",
    "The way to a building is the way of all residents; some look behind the house for bikes.",
    "Why does it happen, and why do we see it later than others do? Some cause is never found.",
    "Money is paid on a date, and that date is in the calendar of the company.",
    "A person can be a guest, a worker, a tenant or a physician, and need help with food.",
    "The storm, the sun, the red planet and the moon: things that people look at by night or day.",
)


def _valves(count: int) -> Iterator[tuple[str, str]]:
    """Codes that differ in a letter or a digit: their meanings are all the same."""
    chosen = random.Random(_SEED)
    codes = [f"{a}{b}-{number}" for a in "BD" for b in "XYZ" for number in (204, 240, 402, 420)]
    colours = ("green", "blue", "red", "grey")
    for code in chosen.sample(codes, count):
        bar = chosen.randint(2, 19)
        yield f"Valve {code} closes at {bar} bar and is {chosen.choice(colours)}.", f"valve {code}"


ANSWERED: Final = (*_TOLD, *_valves(20))
"""Passages, each with a question that it answers."""
