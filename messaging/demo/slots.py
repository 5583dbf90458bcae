"""What the conversations' `$slots` are filled with; a filling may have slots of its own."""

from __future__ import annotations

from collections.abc import Iterable


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def _split(text: str) -> tuple[str, ...]:
    return tuple(" ".join(item.split()) for item in text.split(",") if item.strip())


def _numbers(numbers: Iterable[int]) -> tuple[str, ...]:
    return tuple(map(str, numbers))


SLOTS: dict[str, tuple[str, ...]] = {
    "animal": _split("cat, seal, gull, hedgehog, dachshund, cormorant, octopus, goat, hen, otter, donkey, heron"),
    "bench": _lines("""
        the bezels for the $clock
        a new jig for the hinges
        sharpening every $tool in the house
        the $wood panels for $customer
        polishing $few dials
        truing the $part
        the case with the cracked corner
        regluing the old frame from $place
        the rack for the long test
        fitting glass to the $clock
        the drawer that sticks
        engraving the plate for $customer
        the third coat of $finish
        sorting the offcuts of $wood
        the pendulum for $place
        cutting $part from the new sheet
        crating order $order
        the $clock without a name
    """),
    "bird": _split("""sea eagle, gannet, kingfisher, godwit, storm petrel, spoonbill, black guillemot,
        great northern diver, osprey, little auk, whimbrel, red-necked phalarope, tern, puffin, hoopoe"""),
    "browser": _split("""an old Safari, Firefox on her phone, the browser of his television, Samsung's browser,
        an iPad from 2017, Chrome on a library computer, Edge in tablet mode"""),
    "cake": _split("""lemon cake, Butterkuchen, almond tart, kardemummabullar, poppy-seed cake, castella, basbousa,
        pastéis de nata, ginger cake, plum crumble, Franzbrötchen, chin chin, alfajores, pavlova"""),
    "clock": _split("""Petrel, Curlew, Dunlin, Sanderling, Kittiwake, Fulmar, Turnstone, Little Tern, Avocet,
        Oystercatcher, Guillemot, Halcyon, Redshank, Great Skua"""),
    "clocktime": _split("05:40, 06:15, 06:50, 07:20, 08:05, 09:30, 11:45, 13:10, 14:25, 15:55, 16:40, 17:35, 18:20"),
    "cm": _numbers(range(2, 7)),
    "code": _lines("""
        the driver for the new gauge
        the bug behind F-$ticket
        the boot screen
        tests for the moon
        the serial parser
        the fix for "$fault"
        the release notes for $version
        the power budget of the $clock
        the watchdog
        reading the datasheet of the motor
        the retry of the radio
        $ticket lines of dead code, to be removed
        the flash layout
        a simulator for $place
        the timing of the tide hand
        the translation of the menu
        the bisect, $few steps in
        the build on the small machine
    """),
    "customer": _split("""Mrs Adeyemi, Mr Kowalczyk, the Hendersons, Dr Sørensen, Madame Leroux, Captain Bello,
        Mr Tanaka, the lifeboat crew, Señora Ibáñez, the parish of St Brelade, Mr and Mr Okonkwo-Hay, Frau Clausen,
        the harbour school, Ms Nguyễn, the Hotel Belvedere, Mr Papadakis, the rowing club, Sister Mary Agnes,
        the widow Janssen, Professor Achterberg, a Mr Smith who says he is not that Mr Smith, the oyster farm"""),
    "day": _split("Monday, Tuesday, Wednesday, Thursday, Friday"),
    "desk": _lines("""
        the letter to $customer
        the parcel for $place
        the new price list
        the post of $day
        the calendar for spring
        the offer for the museum in $place
        the answers to $few complaints
        the customs form for $order
        the photographs of the $clock
        the warranty card in $few languages
        the newsletter
        the list of dealers
        the spare keys for $customer
        the refund for $order
        the booking for $place
        the Christmas orders
        the thank-you cards
        the address book
    """),
    "dish": _split("""caldo verde, jollof rice, lentil soup, grilled sardines, sushi, pierogi, dal,
        bánh mì, ceviche, koshari, mussels, cheese on toast, udon, fattoush, fish pie, cold pizza, pea soup, moqueca,
        noodles, leftovers of leftovers, a very large salad, Grünkohl, smørrebrød, egg and chips, okonomiyaki"""),
    "dozen": _numbers(range(11, 96)),
    "fact": _lines("""
        the tide in the Bay of Fundy moves more water than all rivers of the world together
        a day was twenty-two hours long when corals first kept diaries in their shells
        the Moon leaves us by 3.8 cm a year, about as fast as fingernails grow
        in Southampton high water comes twice, so ships can take their time
        the Mediterranean has a tide, it is only shy
        Lord Kelvin's tide predictor is made of brass, pulleys and one very long wire
        oysters moved to Illinois opened at the hour when the tide would be high in Illinois
        there is a point in the North Sea where the tide goes round but never up
        the word *tide* meant time before it meant water
        Laplace got the equations right before anyone had a gauge to check them
        the oldest tide table is for London Bridge and was written by monks
        a spring tide has nothing to do with spring
        earth tides lift this desk by some thirty centimetres, twice a day
        the Qiantang bore runs faster than a bicycle
        fiddler crabs change colour with the tide, even in a dark room
        at some places the neap tide is so small that the wind wins
        the planners of D-Day wanted low water at dawn after a full moon, and had three days to choose from
        there are 37 constituents in the usual list, and seven do nearly all the work
        St Malo's power station has run on the tide since 1966
        at the equinox the Moon and the Sun pull along one line, and my cellar knows it
    """),
    "fault": _split("""the display freezes at midnight, the tide hand jumps at slack water, the gauge skips a reading,
        the alarm comes one hour late, the moon is full for three days, the radio gives up after a reboot,
        the backlight stays on in the drawer, the motor hums without turning, low water is shown as high,
        the date stands still on a 31st, the buttons answer twice, the first sync takes four minutes,
        the wave on the display runs backwards, the battery reads 0 % when it's cold"""),
    "few": _numbers(range(2, 10)),
    "finish": _split("shellac, tung oil, wax, linseed oil, spar varnish, urushi, hard oil, soap finish, Danish oil"),
    "hundred": _numbers(range(112, 990, 7)),
    "minutes": _split("5, 10, 12, 15, 20, 25, 30, 40"),
    "order": _numbers(range(20417, 23960, 13)),
    "page": _split(
        "about, shop, repairs, contact, harbours, checkout, returns, moon, press, gallery, manual, delivery"
    ),
    "part": _split("""escapements, pinions, tide wheels, hands, bezels, pillars, movement plates, ratchets, springs,
        moon discs, bushings, winding squares, hinge pins, dial feet"""),
    "percent": _numbers(range(4, 39)),
    "place": _split("""Oban, Stornoway, Harlingen, Cuxhaven, Göteborg, Gdańsk, Saint-Malo, Roscoff, Galway, Dingle,
        Porto, Nazaré, Setúbal, Cádiz, Essaouira, Alexandria, Lagos, Dakar, Callao, Valparaíso, Nelson, Lyttelton,
        Maizuru, Hakodate, Da Nang, Kochi, Chennai, Halifax, Lunenburg, Bergen, Tromsø, Reykjavík, Tórshavn, Penzance,
        Whitby, Lerwick, Bar Harbor, Astoria, Hobart, Ushuaia, Tarifa, Husum, Esbjerg, Pittenweem, Aveiro, Sidon"""),
    "seen": _lines("""
        a man asked whether the $clock works inland. I said it works, but it longs.
        a child explained the tide to her grandfather. He is a harbour pilot. He let her finish.
        a $animal has moved into the packing straw. We have named it Order $order.
        $customer came to have the clock repaired and stayed for the whole of lunch.
        the postman set his watch by the wall of test clocks. All $dozen of them. He took the average.
        somebody returned a clock because it was "right, but too early in the morning".
        a couple got engaged under the $clock at $place. At slack water, so nobody had to hurry.
        the $bird is back on the crane. It looks at us as if we were late.
        a lady wanted the tide for yesterday. She had missed it.
        the delivery for $place went to the other $place. Yes, there are two.
        the cat slept in the $wood shavings and now she's the most expensive cat in $home.
        a school class counted our clocks: $dozen. We have $dozen2. They want to come again.
        $customer sent a postcard from $place. It only says: "On time."
        I dropped a $tool, said a word, and found that the video call was on.
        the neighbour brought $cake because our clocks are "good company through the wall".
        an old captain looked at the $clock for ten minutes and said: "Aye." Then he bought two.
        the ferry was late and the $clock was right. People took photographs of both.
        a tourist photographed our "closed" sign and asked if it is for sale. It is now.
        the bus driver asked for the high water at $place. The whole bus waited for my answer.
        somebody painted a tiny wave on our letterbox. It wasn't any of us. Was it?
        the radio called us "the tide people". I think we should keep that.
        $customer wrote a poem about the key. It is long. It rhymes throughout.
        a $animal crossed the yard with a felt washer in its mouth. We let it go.
        the locksmith couldn't open our door, so he learned about tides for two hours.
    """),
    "song": _split("""Leave Her Johnny, The Grey Selkie, Santiana, Lowlands Away, The Wellerman, Roll the Old Chariot,
        Blow the Man Down, Haul Away Joe, Sōran Bushi, Rolling Home, The Mingulay Boat Song, Bully in the Alley,
        Spanish Ladies, South Australia, Pay Me My Money Down, A Barca Bela, Randy Dandy-Oh, Fiddler's Green"""),
    "survey": _lines("""
        the fit for $place
        $dozen days of readings from $place
        the levelling at $place
        the new constants for the $clock
        cleaning the sensor at $place
        the comparison with the staff
        the gap in the $place record
        the table for next year
        the barometer correction
        the chart of the harbour at $place
        the battery count, $few stations
        the old log book from $place
        the outliers of $day
        the report for the harbour master
        the photographs of the marks
        the datum of $place
        the storm of last week, minute by minute
        the residuals around the equinox
    """),
    "ticket": _numbers(range(187, 436)),
    "tool": _split("""block plane, small vice, centre punch, jeweller's saw, burnisher, pin hammer, marking gauge,
        spokeshave, depth micrometer, riffler, hand drill, dovetail saw, broach, cabinet scraper"""),
    "version": _split("3.4.1, 3.4.2, 3.4.3, 3.5.0, 3.5.1, 3.5.2, 3.6.0, 3.6.1"),
    "web": _lines("""
        the $page page
        the pictures of the $clock
        the menu on small screens
        the Arabic of the $page page
        the German of the $page page
        the contrast of the buttons
        the map of $few harbours
        the sitemap
        the form on the $page page
        the fonts, again
        the error for $browser
        the wave in the footer
        the alternative texts for $dozen pictures
        the search box
        the print version of the tide table
        the cookie banner (there is none, and now the page says why)
        the receipt mail
        the headline for the $clock
    """),
    "weather": _split("""foggy, bright, blowing a gale, grey and kind, raining sideways, still dark, frosty, sticky,
        perfectly still, windy, drizzling, clear as glass, warm for once, thundery"""),
    "wochentag": _split("Montag, Dienstag, Mittwoch, Donnerstag, Freitag"),
    "wood": _split("""oak, pear, walnut, elm, chestnut, ash, cherry, teak, yew, larch, hinoki, iroko, olive, maple"""),
}
