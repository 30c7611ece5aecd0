package bot

// supportScript serves businesses whose customers report problems: help desks, clinics' front
// desks, landlords, service providers.
func supportScript() script {
	return script{
		intro: text{
			sw: "Karibu *{business}*. Mimi ni msaidizi wa kiotomatiki; eleza tatizo lako nami nitalipokea kwa niaba ya timu.",
			en: "Welcome to *{business}*. I'm the automatic assistant; tell me about your problem and I'll note it for the team.",
		},
		parts:   []part{partWelcome, partMenu, partAnswers(IntentPrice, IntentWhere, IntentHuman), partQuestions, partHours},
		example: text{sw: "tatizo", en: "problem"},
		menu: []menuItem{
			{IntentProblem, text{sw: "Eleza tatizo", en: "Report a problem"}},
			{IntentStatus, text{sw: "Hali ya tatizo ulilotuma", en: "Status of a reported problem"}},
			{IntentHours, text{sw: "Saa za kazi", en: "Opening hours"}},
			{IntentHuman, text{sw: "Ongea na mtu", en: "Talk to a person"}},
		},
		listens: []listening{
			{IntentStatus, []string{
				"status", "ticket", "tiketi", "hali ya tatizo", "hali ya ombi", "tatizo langu limefikia wapi", "imefikia wapi", "limefikia wapi", "kumbukumbu",
				"kumbukumbu namba", "reference", "ticket number", "ticket status", "any update", "any updates", "update on",
			}},
			{IntentProblem, []string{
				"shida", "tatizo", "matatizo", "tatiso", "changamoto", "hitilafu", "kasoro", "imeharibika", "limeharibika", "haifanyi kazi", "halifanyi kazi",
				"sipati", "malalamiko", "lalamiko", "nalalamika", "eleza tatizo", "ripoti tatizo", "nina shida", "nina tatizo", "msaada", "nisaidie", "naomba msaada",
				"problem", "problems", "probem", "issue", "issues", "error", "trouble", "broken", "not working", "doesnt work", "does not work", "isnt working",
				"complaint", "complain", "report a problem", "help", "help me", "support", "fault",
			}},
			{IntentPrice, []string{
				"bei", "bei gani", "gharama", "shilingi ngapi", "sh ngapi", "shingapi", "kiasi gani", "price", "prices", "cost", "costs", "how much",
			}},
		},
		answers: map[string]text{
			IntentPrice: {
				sw: "Gharama huthibitishwa na timu ya {business}. Andika *mtu* ukitaka wakujibu hapa.",
				en: "The team at {business} confirms what it costs. Write *human* if you'd like them to answer you here.",
			},
		},
		flows: map[string]flow{
			IntentProblem: {
				reference: true,
				steps: []step{{
					name: "problem", kind: stepWords,
					ask: text{
						sw: "Pole kwa usumbufu. *Tafadhali eleza tatizo lako* katika ujumbe mmoja: nini kimetokea, na tangu lini? (Andika *menu* kuacha.)",
						en: "I'm sorry about that. *Please describe your problem* in one message: what happened, and since when? (Write *menu* to stop.)",
					},
					again: text{
						sw: "Tafadhali eleza tatizo kwa maneno machache, au andika *menu* kuacha.",
						en: "Please describe the problem in a few words, or write *menu* to stop.",
					},
				}},
				done: text{
					sw: "Asante, nimepokea taarifa ya tatizo lako: {problem}\nNamba ya kumbukumbu: *{ref}*\n\nTimu ya {business} itakujibu hapa. Unaweza kuongeza maelezo wakati wowote.",
					en: "Thank you, I've noted your problem: {problem}\nReference: *{ref}*\n\nThe team at {business} will reply here. You can add details at any time.",
				},
			},
			IntentStatus: {
				steps: []step{{
					name: "question", kind: stepWords,
					ask: text{
						sw: "{lastref}Mimi siwezi kuona hatua iliyofikiwa, lakini timu ya {business} inaweza. *Andika namba ya kumbukumbu au tatizo unaloulizia.* (Andika *menu* kuacha.)",
						en: "{lastref}I can't see how far it is, but the team at {business} can. *Write the reference or the problem you are asking about.* (Write *menu* to stop.)",
					},
					again: text{
						sw: "Tafadhali andika namba ya kumbukumbu au tatizo unaloulizia, au *menu* kuacha.",
						en: "Please write the reference or the problem you are asking about, or *menu* to stop.",
					},
				}},
				done: text{
					sw: "Asante, nimepokea swali lako: {question}\n\nTimu ya {business} itakujibu hapa.",
					en: "Thank you, I've noted your question: {question}\n\nThe team at {business} will reply here.",
				},
			},
		},
	}
}
