"""The sixteen people of Fathom & Daughters."""

from __future__ import annotations

from dataclasses import dataclass

# example.org is set aside for documentation (RFC 2606): no mail ever reaches anybody. The subdomain marks who is ours.
MAIL_DOMAIN = "fathom.example.org"


@dataclass(frozen=True)
class Person:
    username: str
    name: str
    home: str
    hours: float
    """How far their clock is ahead of UTC."""
    talks: float = 1.0
    """How often they begin to speak, beside the others."""

    @property
    def first_name(self) -> str:
        return self.name.split(maxsplit=1)[0]

    @property
    def email(self) -> str:
        return f"{self.username}@{MAIL_DOMAIN}"


PEOPLE = {
    person.username: person
    for person in (
        Person("ines", "Inês Carvalho", "Lisboa", 0, talks=1.4),
        Person("tomas", "Tomás Figueiredo", "Lisboa", 0),
        Person("amara", "Amara Okafor", "Lagos", 1, talks=1.4),
        Person("jonas", "Jonas Petersen", "Hamburg", 1, talks=1.2),
        Person("greta", "Greta Lindqvist", "Göteborg", 1),
        Person("zofia", "Zofia Nowak", "Gdańsk", 1),
        Person("mina", "Wilhelmina de Vries", "Harlingen", 1, talks=0.8),
        Person("callum", "Callum Reid", "Oban", 0, talks=1.3),
        Person("youssef", "يوسف منصور", "Alexandria", 2),
        Person("leila", "Leila Haddad", "Beirut", 2),
        Person("priya", "Priya Raman", "Chennai", 5.5, talks=1.2),
        Person("linh", "Trần Mỹ Linh", "Da Nang", 7),
        Person("haruka", "森 春香", "Kyoto", 9),
        Person("kenji", "Kenji Watanabe", "Kyoto", 9),
        Person("ngaire", "Ngaire Tamihana", "Nelson", 12, talks=0.8),
        Person("mateo", "Mateo Quispe", "Callao", -5),
    )
}
