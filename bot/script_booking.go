package bot

// bookingScript serves businesses that work by appointment: salons, clinics, garages.
func bookingScript() script {
	return script{
		intro: text{
			sw: "Karibu *{business}*. Mimi ni msaidizi wa kiotomatiki; naweza kupokea ombi lako la miadi na kujibu maswali.",
			en: "Welcome to *{business}*. I'm the automatic assistant; I can take your appointment request and answer questions.",
		},
		parts:   []part{partWelcome, partMenu, partOffers("services"), partAnswers(IntentWhere, IntentHuman), partQuestions, partHours},
		example: text{sw: "miadi", en: "booking"},
		menu: []menuItem{
			{IntentBook, text{sw: "Weka miadi", en: "Book an appointment"}},
			{IntentServices, text{sw: "Huduma na bei", en: "Services and prices"}},
			{IntentHours, text{sw: "Saa za kazi", en: "Opening hours"}},
			{IntentCancel, text{sw: "Badilisha au ghairi miadi", en: "Change or cancel an appointment"}},
			{IntentHuman, text{sw: "Ongea na mtu", en: "Talk to a person"}},
		},
		listens: []listening{
			{IntentCancel, []string{
				"ghairi", "kughairi", "nighairi", "naghairi", "ahirisha", "kuahirisha", "niahirishe", "kubadilisha miadi", "badilisha miadi",
				"nibadilishe miadi", "kufuta miadi", "futa miadi", "cancel", "cancelling", "cancellation", "reschedule", "postpone",
				"change my appointment", "change appointment", "change my booking", "change booking", "move my appointment", "badilisha au ghairi miadi",
			}},
			{IntentPrice, []string{
				"bei", "bei gani", "gharama", "shilingi ngapi", "sh ngapi", "shingapi", "kiasi gani", "price", "prices", "cost", "costs", "how much",
				"charges", "rates", "price list",
			}},
			{IntentBook, []string{
				"miadi", "weka miadi", "kuweka miadi", "niwekee miadi", "book", "booking", "bookings", "kubook", "nibook", "nabook", "buking", "appointment",
				"appointments", "apointment", "appoitment", "apoitment", "reserve", "reservation", "reservations", "weka nafasi", "kuweka nafasi", "niwekee nafasi",
				"nafasi ipo", "kuna nafasi", "mna nafasi", "nafasi kesho", "nafasi leo", "schedule", "book an appointment", "make a booking",
			}},
			{IntentServices, []string{
				"huduma", "uduma", "huduma zenu", "huduma gani", "huduma zipi", "mnatoa huduma gani", "service", "services", "mnafanya nini", "what do you offer",
				"what do you do", "huduma na bei", "services and prices",
			}},
		},
		answers: map[string]text{
			IntentServices: {
				sw: "Timu ya {business} itakueleza hapa huduma zilizopo na bei zake. Andika *mtu* ukitaka wakujibu, au *miadi* kama tayari unajua huduma unayotaka.",
				en: "The team at {business} will tell you here which services there are and what they cost. Write *human* if you'd like them to answer, or *booking* if you already know what you want.",
			},
			IntentPrice: {
				sw: "Bei inategemea huduma unayohitaji, na timu ya {business} ndiyo inayoithibitisha. Andika *mtu* kuuliza bei, au *miadi* kuomba miadi.",
				en: "The price depends on the service you need, and the team at {business} confirms it. Write *human* to ask for a price, or *booking* to request an appointment.",
			},
		},
		listed: map[string]text{
			IntentServices: {
				sw: "*Huduma za {business}*\n{offers}\n\nAndika *miadi* kuomba miadi.",
				en: "*Services at {business}*\n{offers}\n\nWrite *booking* to request an appointment.",
			},
			IntentPrice: {
				sw: "*Bei za {business}*\n{offers}\n\nTimu itathibitisha bei ya mwisho. Andika *miadi* kuomba miadi.",
				en: "*Prices at {business}*\n{offers}\n\nThe team confirms the final price. Write *booking* to request an appointment.",
			},
		},
		flows: map[string]flow{
			IntentBook: {
				steps: []step{
					{
						name: "service", kind: stepOffer,
						ask: text{
							sw: "Vizuri, tuandae ombi la miadi. *Ungependa huduma gani?* Iandike kwa maneno machache. (Andika *menu* wakati wowote kuacha.)",
							en: "Great, let's request an appointment. *Which service would you like?* Write it in a few words. (Write *menu* at any time to stop.)",
						},
						pick: text{
							sw: "Vizuri, tuandae ombi la miadi. *Ungependa huduma gani?*\n{choices}\n\nJibu kwa namba au iandike. (Andika *menu* wakati wowote kuacha.)",
							en: "Great, let's request an appointment. *Which service would you like?*\n{choices}\n\nReply with a number or write it. (Write *menu* at any time to stop.)",
						},
						again: text{
							sw: "Tafadhali andika jina la huduma unayotaka, au *menu* kuacha.",
							en: "Please write the service you would like, or *menu* to stop.",
						},
					},
					{
						name: "when", kind: stepWhen,
						ask: text{
							sw: "Sawa: {service}. *Ungependa siku gani na saa ngapi?* Mfano: kesho saa 4 asubuhi.",
							en: "Got it: {service}. *Which day and time would you like?* For example: tomorrow at 10 am.",
						},
						again: text{
							sw: "Tafadhali andika siku na saa, mfano: Jumamosi saa 4 asubuhi. Au andika *menu* kuacha.",
							en: "Please write a day and a time, for example: Saturday at 10 am. Or write *menu* to stop.",
						},
					},
				},
				confirm: text{
					sw: "Tafadhali hakiki ombi lako:\nHuduma: {service}\nSiku na saa: {when}\n\nNi sahihi? Jibu *1* ndiyo, au *2* hapana.",
					en: "Please check your request:\nService: {service}\nDay and time: {when}\n\nIs that right? Reply *1* for yes or *2* for no.",
				},
				done: text{
					sw: "Asante! Nimepokea ombi lako la miadi:\nHuduma: {service}\nSiku na saa: {when}\n\nMiadi bado haijathibitishwa: timu ya {business} itakujibu hapa kuithibitisha.",
					en: "Thank you! I've noted your appointment request:\nService: {service}\nDay and time: {when}\n\nIt is not confirmed yet: the team at {business} will reply here to confirm it.",
				},
			},
			IntentCancel: {
				steps: []step{{
					name: "appointment", kind: stepWords,
					ask: text{
						sw: "Sawa. *Ni miadi ipi, na ungependa ibadilishwe au ighairiwe?* Andika jina, siku na saa. (Andika *menu* kuacha.)",
						en: "All right. *Which appointment is it, and should it be changed or cancelled?* Write the name, day and time. (Write *menu* to stop.)",
					},
					again: text{
						sw: "Tafadhali andika jina, siku na saa ya miadi hiyo, au *menu* kuacha.",
						en: "Please write the name, day and time of that appointment, or *menu* to stop.",
					},
				}},
				done: text{
					sw: "Asante, nimepokea ombi lako: {appointment}\n\nTimu ya {business} itakujibu hapa kulithibitisha.",
					en: "Thank you, I've noted your request: {appointment}\n\nThe team at {business} will reply here to confirm it.",
				},
			},
		},
	}
}
