/// The words that the embedded corpora share.
enum Words {
    static let firstNames: [(name: String, she: Bool)] = [
        ("Mara", true), ("Tobin", false), ("Elsie", true), ("Jonas", false), ("Petra", true),
        ("Anselm", false), ("Ruth", true), ("Oskar", false), ("Ines", true), ("Leopold", false),
        ("Clara", true), ("Hugo", false), ("Nadia", true), ("Silas", false), ("Greta", true),
        ("Marten", false), ("Ada", true), ("Felix", false), ("Judith", true), ("Caspar", false),
        ("Wanda", true), ("Emil", false), ("Helen", true), ("Rufus", false), ("Lydia", true),
        ("Bruno", false), ("Alma", true), ("Edgar", false), ("Sophie", true), ("Dorian", false),
        ("Vera", true), ("Albin", false), ("Frieda", true), ("Gideon", false), ("Myra", true),
        ("Ludwig", false), ("Tessa", true), ("Nils", false), ("Ottilie", true), ("Pascal", false),
    ]
    static let lastNames = [
        "Holt", "Brandt", "Ferris", "Lindqvist", "Marlow", "Okoro", "Quill", "Tanner", "Vance",
        "Ashby", "Corder", "Dunmore", "Eastman", "Falk", "Grimes", "Hadley", "Ivers", "Jessop",
        "Keller", "Lowry", "Moss", "Nolan", "Orchard", "Pell", "Rowe", "Sorel", "Thorne", "Udall",
        "Verner", "Whitlock", "Yarrow",
    ]
    static let townStarts = [
        "Ash", "Brook", "Cold", "Deer", "Elm", "Fair", "Green", "Hazel", "Iron", "King", "Long",
        "Mill", "North", "Oak", "Stone", "White",
    ]
    static let townEnds = ["ford", "bridge", "field", "haven", "mere", "stead", "well", "wick"]
    static let regions = [
        "the northern hills", "the lake country", "the western coast", "the river valley",
        "the eastern plain", "the high moor", "the southern islands", "the old forest",
    ]
    static let rivers = [
        "Alder", "Brine", "Corrow", "Dell", "Esk", "Fenn", "Garrow", "Hale", "Isen", "Laver",
        "Orne", "Rill", "Tarn", "Wend",
    ]
    static let products = [
        "glass", "wool", "cheese", "paper", "salt", "honey", "slate", "rope", "cider", "clocks",
        "pottery", "linen", "barley", "copper", "candles", "boats", "leather", "pears", "tin",
        "ink",
    ]
    static let landmarks = [
        "a stone bridge with seven arches", "a round tower", "an old watermill", "a market hall",
        "a lighthouse", "a walled garden", "a ruined abbey", "a row of painted houses",
        "a long pier", "a clock that runs backwards", "a chapel on a rock", "a covered well",
    ]
    static let foods = [
        "plum cake", "onion soup", "rye bread", "smoked trout", "baked apples", "lentil stew",
        "pancakes", "roast chestnuts", "pea soup", "ginger biscuits", "mushroom pie",
        "oat porridge",
        "pickled beets", "cherry jam", "barley broth", "goat cheese",
    ]
    static let hobbies = [
        "playing the fiddle", "collecting shells", "keeping bees", "painting birds",
        "carving spoons", "writing letters", "walking the hills", "mending clocks",
        "growing roses", "playing chess", "singing in the choir", "drawing maps", "flying kites",
        "reading old newspapers", "rowing on the river", "watching the stars",
    ]
    static let trades: [(name: String, tool: String, place: String, makes: String)] = [
        ("baker", "oven", "bakery", "bread"), ("carpenter", "plane", "workshop", "tables"),
        ("blacksmith", "hammer", "forge", "hinges"), ("weaver", "loom", "weaving shed", "cloth"),
        ("potter", "wheel", "pottery", "bowls"), ("printer", "press", "print shop", "handbills"),
        ("teacher", "chalk", "school", "lessons"), ("miller", "millstone", "mill", "flour"),
        ("tailor", "needle", "tailor's shop", "coats"), ("gardener", "spade", "garden", "salads"),
        ("fisher", "net", "harbour", "salted fish"),
        ("doctor", "thermometer", "surgery", "remedies"),
        ("clockmaker", "lens", "clock shop", "watches"),
        ("shoemaker", "awl", "cobbler's shop", "boots"),
        ("glassblower", "blowpipe", "glassworks", "bottles"),
        ("cooper", "adze", "cooperage", "barrels"),
        ("librarian", "catalogue", "library", "reading lists"),
        ("farmer", "plough", "farm", "grain"),
        ("mason", "trowel", "stone yard", "walls"), ("beekeeper", "smoker", "apiary", "honey"),
        ("sailor", "compass", "ship", "knots"), ("painter", "brush", "studio", "portraits"),
        ("saddler", "punch", "saddlery", "harnesses"),
        ("brewer", "copper kettle", "brewery", "beer"),
    ]
    static let animals: [(name: String, kind: String, home: String, eats: String, coat: String)] = [
        ("heron", "bird", "marshes", "small fish", "grey"),
        ("otter", "mammal", "quiet rivers", "trout", "brown"),
        ("badger", "mammal", "woodland banks", "worms", "striped"),
        ("owl", "bird", "old barns", "mice", "pale"),
        ("hare", "mammal", "open fields", "grass", "tawny"),
        ("salamander", "amphibian", "damp woods", "insects", "spotted"),
        ("pike", "fish", "deep ponds", "frogs", "green"),
        ("goat", "mammal", "rocky slopes", "thorny shrubs", "white"),
        ("raven", "bird", "cliffs", "carrion", "black"),
        ("hedgehog", "mammal", "hedges", "beetles", "spiny"),
        ("kestrel", "bird", "church towers", "voles", "chestnut"),
        ("carp", "fish", "slow streams", "water plants", "golden"),
        ("tortoise", "reptile", "dry gardens", "lettuce", "horny"),
        ("squirrel", "mammal", "tall trees", "nuts", "red"),
        ("newt", "amphibian", "ditches", "water fleas", "smooth"),
        ("swan", "bird", "lakes", "pondweed", "white"),
        ("donkey", "mammal", "paddocks", "thistles", "dusty"),
        ("lizard", "reptile", "warm walls", "spiders", "scaly"),
        ("mole", "mammal", "meadows", "grubs", "velvet"),
        ("goose", "bird", "village greens", "clover", "speckled"),
        ("cat", "mammal", "warm kitchens", "mice", "tabby"),
        ("eel", "fish", "muddy canals", "snails", "silver"),
        ("toad", "amphibian", "cellars", "slugs", "warty"),
        ("fox", "mammal", "thickets", "rabbits", "russet"),
    ]
    static let things = [
        "basket", "lantern", "ladder", "kettle", "blanket", "violin", "map", "bucket", "chair",
        "letter", "bell", "saddle", "mirror", "hat", "spoon", "candle", "rope", "stool", "jar",
        "book", "box", "knife", "wheel", "coat", "brush", "drum", "umbrella", "cup", "key", "sack",
    ]
    static let adjectives = [
        "old", "quiet", "small", "bright", "heavy", "curious", "broken", "plain", "warm", "narrow",
        "dusty", "careful", "strange", "simple", "cold", "tall", "wooden", "empty", "golden",
        "slow",
        "gentle", "rough", "faded", "crooked", "clean", "deep", "early", "famous", "hungry",
        "patient",
    ]
}
