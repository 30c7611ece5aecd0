package routes

import "strings"

// refusalsInSwahili are the sentences and headings that an owner can meet when something is refused; %s stands for a name, a
// number or a wait. What is missing here is shown in English.
var refusalsInSwahili = [][2]string{
	{"%s is running already. Restart it if something seems stuck.", "%s tayari inaendeshwa."},
	{"%s is not running. Start it instead.", "%s haiendeshwi sasa. Ianzishe kwanza."},
	{"%s is linked already. Log the number out first.", "%s tayari imeunganishwa."},
	{"Please fill this in.", "Tafadhali jaza hapa."},
	{"This is too long for a phone number.", "Hii ni ndefu mno kuwa namba ya simu."},
	{"A phone number has no letters; write it like +255712345678.", "Namba ya simu haina herufi; iandike hivi: +255712345678."},
	{"This is not a phone number; write it like +255712345678.", "Hii si namba ya simu; iandike hivi: +255712345678."},
	{"There is no code to scan at the moment. Show the QR code first.", "Hakuna msimbo wa kuskani kwa sasa. Onyesha kwanza msimbo wa QR."},
	{"The simulated WhatsApp does not answer. Is it running?", "WhatsApp ya mfano haijibu. Je, inaendeshwa?"},
	{"Too many tries. Wait %s, then try again.", "Umejaribu mara nyingi mno. Subiri kidogo, kisha ujaribu tena."},
	{"Too many people are signing in at once. Try again in a moment.", "Watu wengi wanaingia kwa wakati mmoja. Jaribu tena baada ya muda mfupi."},
	{"You are signed out. Sign in again to go on.", "Umetoka. Ingia tena ili kuendelea."},
	{"This page is for administrators.", "Ukurasa huu ni wa wasimamizi tu."},
	{"There is no page at this address.", "Hakuna ukurasa kwenye anwani hii."},
	{"This does not exist, or not any more.", "Hiki hakipo, au hakipo tena."},
	{"This place in the list is not known. Open the list from its start.", "Sehemu hii ya orodha haijulikani. Fungua orodha kutoka mwanzo."},
	{"This took too long. Nothing is lost; try again in a moment.", "Imechukua muda mrefu mno. Hakuna kilichopotea; jaribu tena baada ya muda mfupi."},
	{"The database cannot be reached at the moment. Nothing is lost; try again soon.", "Hifadhidata haipatikani kwa sasa. Hakuna kilichopotea; jaribu tena baada ya muda mfupi."},
	{"Something went wrong on the server. Quote the number %s when you ask about it.", "Kuna hitilafu kwenye seva. Taja namba %s ukiuliza kuihusu."},

	{"Sign in first", "Ingia kwanza"},
	{"This is not open to you", "Huna ruhusa ya kufungua hapa"},
	{"Not found", "Haijapatikana"},
	{"Not possible here", "Haiwezekani hapa"},
	{"Not possible right now", "Haiwezekani kwa sasa"},
	{"This link does not work any more", "Kiungo hiki hakifanyi kazi tena"},
	{"Too large", "Ni kubwa mno"},
	{"Please check what you entered", "Tafadhali kagua ulichoandika"},
	{"Please wait a moment", "Tafadhali subiri kidogo"},
	{"Not available right now", "Haipatikani kwa sasa"},
	{"This did not work", "Haikufanikiwa"},
	{"Something went wrong", "Kuna hitilafu"},
}

// refusalIn gives a refusal's sentence or heading in a person's language, "en" or "sw".
func refusalIn(lang, sentence string) string {
	if lang != "sw" {
		return sentence
	}
	for _, w := range refusalsInSwahili {
		before, after, open := strings.Cut(w[0], "%s")
		if !open && sentence == before {
			return w[1]
		}
		if rest, fits := strings.CutPrefix(sentence, before); open && fits && strings.HasSuffix(rest, after) {
			return strings.Replace(w[1], "%s", strings.TrimSuffix(rest, after), 1)
		}
	}
	return sentence
}
