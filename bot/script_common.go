package bot

// What every business's bot listens to and says. See doc.go before editing: the order of
// commonListens is the order of importance, and "=" marks words that count only alone.

var commonListens = []listening{
	{IntentHuman, []string{
		"=mtu", "binadamu", "=human", "=person", "=agent", "=wakala", "mhudumu", "muhudumu", "mhudumu wenu", "=staff", "=operator",
		"mtu wa kweli", "ongea na mtu", "kuongea na mtu", "niongee na mtu", "kuzungumza na mtu", "zungumza na mtu",
		"ongea na wakala", "kuongea na wakala", "ongea na agent", "kuongea na agent", "kuongea nanyi", "kuongea na nyinyi",
		"huduma kwa wateja", "mtoa huduma", "nipigie", "nipigieni", "naomba mnipigie", "mnipigie",
		"human agent", "human being", "real person", "real human", "talk to a human", "talk to human", "speak to a human",
		"speak to human", "talk to a person", "talk to person", "speak to a person", "talk to someone", "speak to someone",
		"speak with someone", "talk to an agent", "talk to agent", "speak to an agent", "speak to agent", "live agent", "an agent",
		"customer care", "customer service", "customer support", "call me", "representative",
	}},
	{IntentHours, []string{
		"saa ngapi mnafungua", "mnafungua saa ngapi", "mnafunga saa ngapi", "mnafungua", "mnafunga", "saa za kazi", "masaa ya kazi",
		"muda wa kazi", "saa za kufungua", "mko wazi", "mpo wazi", "mko leo", "mpo leo", "=mpo", "=mko", "mmefungua", "mmefunga", "mnafanya kazi", "siku za kazi", "ratiba",
		"hours", "=hour", "opening hours", "opening times", "opening time", "working hours", "business hours", "closing time",
		"what time", "are you open", "you open", "open today", "open now", "open tomorrow", "open on", "when do you open",
		"do you close", "you close", "=open", "=saa", "=masaa", "saa ngapi",
	}},
	{IntentWhere, []string{
		"mko wapi", "mpo wapi", "upo wapi", "uko wapi", "mnapatikana wapi", "mnapatikana", "mahali gani", "sehemu gani", "ofisi iko wapi",
		"duka liko wapi", "nawapataje", "nafikaje", "=wapi", "=mahali", "anwani", "where are you", "where are you located", "located",
		"your location", "=location", "your address", "=address", "directions",
	}},
	{IntentCancel, []string{"=ghairi", "=cancel", "=futa", "=sitisha", "=acha", "=stop", "=quit", "=exit"}},
	{IntentMenu, []string{
		"menu", "menyu", "main menu", "=rudi", "=rudi nyuma", "=rudi mwanzo", "=mwanzo", "=back", "=go back", "=home", "=start",
		"=anza", "=help", "=msaada", "=options", "=list",
	}},
	{IntentBye, []string{
		"kwaheri", "kwa heri", "kwaherini", "tutaonana", "baadaye", "usiku mwema", "lala salama", "siku njema", "uwe na siku njema",
		"=bye", "bye bye", "=byebye", "goodbye", "good bye", "good night", "see you", "have a nice day", "have a good day",
	}},
	{IntentYes, []string{
		"=ndiyo", "=ndio", "=ndyo", "=ndo",
		"=naam", "=yes", "=yeah", "=yep", "=yea", "=sure", "=correct", "=confirm", "=thibitisha", "=nathibitisha", "=sahihi", "=ni sahihi", "=hakika",
	}},
	{IntentNo, []string{
		"=hapana", "=no", "=nope", "=sitaki", "=siyo", "=sio", "=si sahihi", "=not correct", "=wrong", "=no thanks", "=no thank you", "=hapana asante",
	}},
	{IntentThanks, []string{
		"asante", "ahsante", "asanteni", "ahsanteni", "asante sana", "ahsante sana", "shukrani", "shukran", "nashukuru", "tunashukuru",
		"thanks", "thank you", "thank u", "=thx", "=tnx", "=ty", "thanks a lot", "thank you very much", "much appreciated",
	}},
	{IntentOK, []string{
		"=ok", "=okay", "=okey", "=oky", "=okei", "=oki", "=sawa", "=sawa sawa", "=sawasawa", "=haya", "=poa", "=vizuri", "=nimeelewa", "=fresh",
		"=fine", "=alright", "=all right", "=great", "=cool", "=noted", "=safi",
	}},
}

// salutations: the first is used where the customer did not greet in a way of their own.
var salutations = []salutation{
	{[]string{
		"hello", "hi", "hey", "hallo", "hellow", "helo", "hae", "hy", "hello there", "hi there", "greetings", "=gm", "hodi",
	}, text{sw: "Habari{name}!", en: "Hello{name}!"}},
	{[]string{
		"habari", "abari", "habar", "habari yako", "habari yenu", "habari zenu", "habari gani", "habarini", "habari za leo", "habari za asubuhi",
		"habari za mchana", "habari za jioni", "habari za kazi", "habari za sahizi", "=za leo", "=za asubuhi", "=za mchana", "=za jioni", "=za kazi",
		"=za saizi", "=za sahizi", "salamu", "=salama", "u hali gani", "hali gani", "=uko poa", "=mko poa", "=umeamkaje", "=mmeamkaje", "=umeshindaje",
	}, text{sw: "Nzuri, asante{name}!", en: "Hello{name}!"}},
	{[]string{"mambo", "mambo vipi", "=vipi", "=vp", "=mambo poa", "niaje", "=sasa", "=oya", "=sema", "=inakuwaje", "=whats up", "=sup", "=wassup"},
		text{sw: "Poa{name}!", en: "Hi{name}!"}},
	{[]string{"hujambo", "ujambo", "=jambo"}, text{sw: "Sijambo, asante{name}!", en: "Hello{name}!"}},
	{[]string{"hamjambo"}, text{sw: "Hatujambo, asante{name}!", en: "Hello{name}!"}},
	{[]string{"shikamoo", "shikamo", "shkamoo", "shkamo", "shikamooni"}, text{sw: "Marahaba{name}!", en: "Marahaba{name}!"}},
	{[]string{
		"salaam", "salam", "salaam aleikum", "salam aleikum", "salaam alaikum", "salam alaikum", "assalam alaikum", "assalamu alaikum",
		"assalam aleikum", "assalamu aleikum", "asalaam alaikum", "asalam aleikum", "asalam alaikum", "as salamu alaykum", "as salam alaikum",
		"salaam alaykum", "assalaam alaykum", "assalamu alaykum",
	}, text{sw: "Waalaikum salaam{name}!", en: "Wa alaikum salaam{name}!"}},
	{[]string{"good morning", "=morning", "asubuhi njema"}, text{sw: "Habari za asubuhi{name}!", en: "Good morning{name}!"}},
	{[]string{"good afternoon", "good day", "mchana mwema"}, text{sw: "Habari za mchana{name}!", en: "Good afternoon{name}!"}},
	{[]string{"good evening", "=evening", "jioni njema"}, text{sw: "Habari za jioni{name}!", en: "Good evening{name}!"}},
}

// commonAnswers are given where a template has none of its own.
var commonAnswers = map[string]text{
	IntentMenu: {
		sw: "*{business}* – menyu kuu:\n{menu}\n\nJibu kwa namba, au andika unachohitaji.",
		en: "*{business}* – main menu:\n{menu}\n\nReply with a number, or write what you need.",
	},
	IntentHuman: {
		sw: "Sawa, nimepokea ombi lako la kuongea na mtu. Timu ya {business} itakujibu hapa mara itakapoweza. Unaweza kuandika unachohitaji sasa hivi; wataona ujumbe wako.",
		en: "All right, I've noted that you'd like to talk to a person. The team at {business} will answer you here as soon as they can. You can write what you need right away; they will see your message.",
	},
	IntentThanks: {
		sw: "Karibu sana! Ukihitaji kitu kingine, andika *menu*.",
		en: "You're welcome! If you need anything else, write *menu*.",
	},
	IntentBye: {
		sw: "Asante kwa kuwasiliana na {business}. Kwaheri, na karibu tena!",
		en: "Thank you for contacting {business}. Goodbye, and we hope to hear from you again!",
	},
	IntentOK: {
		sw: "Sawa! Ukihitaji kitu kingine, andika *menu*.",
		en: "All right! If you need anything else, write *menu*.",
	},
	IntentWhere: {
		sw: "Timu ya {business} itakuelekeza hapa mahali ilipo na namna ya kufika. Andika *mtu* ukitaka wakujibu.",
		en: "The team at {business} will tell you here where to find them. Write *human* if you'd like them to answer you.",
	},
	IntentCancel: {
		sw: "Sawa. Hakuna ombi linaloendelea hapa. Ukitaka kufuta ulichoomba awali, andika *mtu* na timu ya {business} itakusaidia.",
		en: "All right. Nothing is in progress here. To cancel something you asked for earlier, write *human* and the team at {business} will help you.",
	},
}

// Sentences that belong to no intent.
var (
	sayOurBusiness = text{sw: "biashara yetu", en: "our business"} // where the name is not known

	sayGreeting = text{
		sw: "{hi} {intro}\n\n{menu}\n\nJibu kwa namba, au andika unachohitaji.",
		en: "{hi} {intro}\n\n{menu}\n\nReply with a number, or write what you need.",
	}
	sayFallback = text{
		sw: "Samahani, sijaelewa ujumbe wako. Naweza kukusaidia na haya:\n{menu}\n\nJibu kwa namba, au andika *mtu* ukitaka kuongea na mtu.",
		en: "Sorry, I didn't understand that. I can help you with:\n{menu}\n\nReply with a number, or write *human* to talk to a person.",
	}
	sayFallbackShort = text{
		sw: "Samahani, bado sijakuelewa. Jaribu maneno machache, kwa mfano *{example}*, au andika *menu* kuona ninavyoweza kukusaidia.",
		en: "Sorry, I still don't follow. Try a few simple words, for example *{example}*, or write *menu* to see what I can help with.",
	}
	sayOfferPerson = text{
		sw: "Samahani, naona bado sikuelewi vizuri. Ungependa kuongea na mtu wa {business}? Jibu *ndiyo*, au andika *menu* kurudi kwenye menyu.",
		en: "Sorry, I can see I'm not understanding you well. Would you like to talk to a person at {business}? Reply *yes*, or write *menu* to go back to the menu.",
	}
	sayNoSuchNumber = text{
		sw: "Namba hiyo haipo kwenye menyu. Chagua mojawapo ya hizi:\n{menu}",
		en: "That number isn't on the menu. Please choose one of these:\n{menu}",
	}
	sayExpired = text{
		sw: "Ombi lako la awali limepitwa na muda, kwa hiyo tuanze upya. Naweza kukusaidia na haya:\n{menu}\n\nJibu kwa namba, au andika unachohitaji.",
		en: "Your earlier request has timed out, so let's start again. I can help you with:\n{menu}\n\nReply with a number, or write what you need.",
	}
	sayNoted = text{
		sw: "Asante, nimepokea ujumbe wako. Timu ya {business} itausoma na kukujibu hapa. Ukihitaji menyu, andika *menu*.",
		en: "Thank you, I've received your message. The team at {business} will read it and answer you here. For the menu, write *menu*.",
	}
	sayOptedOut = text{
		sw: "Sawa, hutapokea tena ujumbe wa moja kwa moja kutoka {business}. Watu wa {business} bado wataona ukiandika. Andika *ANZA* ukitaka nikujibu tena.",
		en: "All right, you will get no more automatic messages from {business}. The people at {business} still see what you write. Write *START* if you want me to answer again.",
	}
	sayOptedIn = text{
		sw: "Karibu tena! Nitakujibu kuanzia sasa. Naweza kukusaidia na haya:\n{menu}\n\nJibu kwa namba, au andika unachohitaji.",
		en: "Welcome back! I'll answer you from now on. I can help you with:\n{menu}\n\nReply with a number, or write what you need.",
	}
	sayLeft = text{
		sw: "Sawa, nimesitisha; hakuna ombi lililopokelewa. Ukihitaji kitu kingine, andika *menu*.",
		en: "All right, I've stopped; no request was made. If you need anything else, write *menu*.",
	}
	sayLastReference = text{
		sw: "Namba ya kumbukumbu ya tatizo lako la mwisho ni *{ref}*.\n\n",
		en: "The reference of your latest problem is *{ref}*.\n\n",
	}
	sayHours = text{
		sw: "*Saa za kazi za {business}*\n{hours}",
		en: "*Opening hours of {business}*\n{hours}",
	}
	sayHoursUnknown = text{
		sw: "Samahani, sina taarifa za saa za kazi za {business}. Andika *mtu*, na timu itakujulisha hapa.",
		en: "Sorry, I don't have the opening hours of {business}. Write *human*, and the team will tell you here.",
	}
	sayOpenUntil   = text{sw: "Sasa hivi tuko wazi, hadi {until}.", en: "We are open now, until {until}."}
	sayOpen        = text{sw: "Sasa hivi tuko wazi.", en: "We are open now."}
	sayClosed      = text{sw: "Kwa sasa tumefunga. Tutafungua {opens}.", en: "We are closed at the moment. We open {opens}."}
	sayClosedShort = text{sw: "Kwa sasa tumefunga.", en: "We are closed at the moment."} // where a business has no words of its own
	sayOpens       = text{sw: "Tutafungua {opens}.", en: "We open {opens}."}
	sayHoliday     = text{sw: "Leo tumefunga ({holiday}).", en: "We are closed today ({holiday})."}
	sayHolidays    = text{sw: "Siku za mapumziko: {holidays}", en: "Days off: {holidays}"}
	sayClosedNow   = text{
		sw: "Kwa sasa tumefunga. Timu itakujulisha itakapofungua.",
		en: "We are closed at the moment. The team will let you know when we open.",
	}
	sayPriceAsked = text{sw: "timu itathibitisha bei", en: "the team confirms the price"}
)

// sayKind answers messages that are not text.
var sayKind = map[Kind]text{
	KindImage: {
		sw: "Asante kwa picha! Mimi siwezi kuiona, lakini timu ya {business} itaiangalia. Tafadhali andika kwa maneno unachohitaji, au andika *menu*.",
		en: "Thanks for the picture! I can't look at pictures, but the team at {business} can. Please write what you need in words, or write *menu*.",
	},
	KindVideo: {
		sw: "Asante kwa video! Mimi siwezi kuitazama, lakini timu ya {business} itaiangalia. Tafadhali andika kwa maneno unachohitaji, au andika *menu*.",
		en: "Thanks for the video! I can't watch videos, but the team at {business} can. Please write what you need in words, or write *menu*.",
	},
	KindVoice: {
		sw: "Samahani, bado siwezi kusikiliza ujumbe wa sauti. Tafadhali andika kwa maneno unachohitaji, au andika *mtu* ukitaka kuongea na mtu.",
		en: "Sorry, I can't listen to voice notes yet. Please write what you need, or write *human* to talk to a person.",
	},
	KindAudio: {
		sw: "Samahani, bado siwezi kusikiliza sauti. Tafadhali andika kwa maneno unachohitaji, au andika *mtu* ukitaka kuongea na mtu.",
		en: "Sorry, I can't listen to audio yet. Please write what you need, or write *human* to talk to a person.",
	},
	KindDocument: {
		sw: "Asante, faili limefika. Mimi siwezi kulisoma, lakini timu ya {business} italiangalia. Tafadhali andika kwa maneno unachohitaji, au andika *menu*.",
		en: "Thanks, the file has arrived. I can't read files, but the team at {business} can. Please write what you need in words, or write *menu*.",
	},
	KindSticker: {
		sw: "Asante kwa stika! 😊 Andika unachohitaji, au andika *menu* kuona ninavyoweza kukusaidia.",
		en: "Thanks for the sticker! 😊 Write what you need, or write *menu* to see what I can help with.",
	},
	KindLocation: {
		sw: "Asante, nimepokea eneo ulilotuma; timu ya {business} italiona. Tafadhali andika unachohitaji, au andika *menu*.",
		en: "Thanks, I've received the location; the team at {business} will see it. Please write what you need, or write *menu*.",
	},
	KindContact: {
		sw: "Asante, nimepokea mawasiliano uliyotuma; timu ya {business} itayaona. Tafadhali andika unachohitaji, au andika *menu*.",
		en: "Thanks, I've received the contact; the team at {business} will see it. Please write what you need, or write *menu*.",
	},
	KindPoll: {
		sw: "Samahani, siwezi kupiga kura. Tafadhali andika unachohitaji, au andika *menu*.",
		en: "Sorry, I can't vote in polls. Please write what you need, or write *menu*.",
	},
	KindUnknown: {
		sw: "Samahani, siwezi kusoma ujumbe wa aina hii. Tafadhali andika kwa maneno unachohitaji, au andika *menu*.",
		en: "Sorry, I can't read this kind of message. Please write what you need in words, or write *menu*.",
	},
}

// fillers say nothing about what a message wants.
var fillers = setOf(`tafadhali tafadhal please pls plz kindly naomba naombeni nataka ningependa ningetaka nahitaji nina i id im want need would like
	to a an the me my can could you your do does is are there it for of on in and ni na ya za wa la cha vya kwa je jamani ndugu boss bosi bro dada
	kaka mkuu sir madam bwana rafiki sana tu hapo hapa yako yangu yenu zenu wenu kuna mna una have any some get have to now sasa hivi leo`)

// numberLabels may stand beside a menu number.
var numberLabels = setOf("namba number no nambari option chaguo chagua choose nachagua la ya")

// numerals are numbers written as words.
var numerals = map[string]int{
	"sifuri": 0, "zero": 0, "moja": 1, "one": 1, "mbili": 2, "two": 2, "tatu": 3, "three": 3, "nne": 4, "four": 4,
	"tano": 5, "five": 5, "sita": 6, "six": 6, "saba": 7, "seven": 7, "nane": 8, "eight": 8, "tisa": 9, "nine": 9,
	"kumi": 10, "ten": 10, "dazeni": 12, "dozen": 12,
}

// notTypos are words one slip away from a trigger that mean something else.
var notTypos = setOf("statues hatari salaama produce thank")
