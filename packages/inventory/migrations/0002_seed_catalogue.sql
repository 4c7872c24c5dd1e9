-- The shop's catalogue. Stock runs from a handful to 100,000; what has 100,000 does not run dry under a load test.
WITH seed (product_id, name, category, emoji, price_minor, initial, description) AS (
  VALUES
    ('espresso-beans',     'Espresso Beans',        'Coffee',  '☕', 1450, 100000, 'Dark roast with cocoa and hazelnut. One pound, whole bean.'),
    ('filter-beans',       'Filter Beans',          'Coffee',  '🫘', 1590, 100000, 'Light roast, washed, with notes of apricot and black tea. One pound, whole bean.'),
    ('paper-filters',      'Paper Filters',         'Coffee',  '📄',  690, 100000, 'One hundred unbleached filters for a two-cup dripper.'),
    ('cold-brew-bottle',   'Cold Brew Bottle',      'Coffee',  '🧊', 2900,    240, 'Glass bottle with a fine mesh insert. Fill it at night, pour it in the morning.'),
    ('pour-over-kettle',   'Pour-Over Kettle',      'Coffee',  '🫖', 6900,     85, 'Gooseneck kettle with a thermometer in the lid. Holds one litre.'),
    ('copper-moka-pot',    'Copper Moka Pot',       'Coffee',  '🏺', 8900,      4, 'Hand-beaten copper, made a few at a time. Serves three.'),
    ('ceramic-mug',        'Ceramic Mug',           'Kitchen', '🍵', 1800, 100000, 'Stoneware with a speckled glaze. Takes twelve ounces and a dishwasher.'),
    ('chef-knife',         'Chef''s Knife',         'Kitchen', '🔪', 7900,    150, 'Eight-inch blade of forged steel with a walnut handle.'),
    ('cutting-board',      'Cutting Board',         'Kitchen', '🪵', 4200,    320, 'End-grain maple with a groove for the juice.'),
    ('cast-iron-skillet',  'Cast-Iron Skillet',     'Kitchen', '🍳', 3900,    410, 'Ten inches, seasoned, good for a lifetime.'),
    ('sourdough-starter',  'Sourdough Starter',     'Kitchen', '🍞',  950,   1200, 'A dried culture that wakes up in three days. With instructions.'),
    ('chili-crisp',        'Chili Crisp',           'Kitchen', '🌶️', 1100,   2500, 'Crunchy garlic and chili in oil. Goes on everything.'),
    ('olive-oil',          'Olive Oil',             'Kitchen', '🫒', 2400,    900, 'Early harvest, cold pressed, in a dark half-litre tin.'),
    ('dotted-notebook',    'Dotted Notebook',       'Desk',    '📓', 1600, 100000, 'A5, 192 dotted pages that lie flat. Two ribbons.'),
    ('fountain-pen',       'Fountain Pen',          'Desk',    '🖋️', 4800,     60, 'Steel nib, fine. Comes with a converter for ink from the bottle.'),
    ('pencil-set',         'Pencil Set',            'Desk',    '✏️',  900,   5000, 'Twelve cedar pencils from 4H to 6B in a tin.'),
    ('desk-lamp',          'Desk Lamp',             'Desk',    '💡', 8600,    120, 'Brushed aluminium arm and a warm light that dims.'),
    ('felt-desk-mat',      'Felt Desk Mat',         'Desk',    '🧶', 3400,    280, 'Merino felt on cork. Quiet under a keyboard.'),
    ('linen-throw',        'Linen Throw',           'Home',    '🧺', 7200,     75, 'Stone-washed linen, heavier than it looks.'),
    ('beeswax-candle',     'Beeswax Candle',        'Home',    '🕯️', 2200,   1800, 'Burns for forty hours and smells of honey.'),
    ('monstera-plant',     'Monstera',              'Home',    '🪴', 3800,     45, 'Three leaves on arrival, and more ideas than space. With a clay pot.'),
    ('camp-mug',           'Camp Mug',              'Outdoor', '🏕️', 1500,   3000, 'Enamelled steel. Survives the fire and the fall from the rock.'),
    ('trail-backpack',     'Trail Backpack',        'Outdoor', '🎒', 9800,     90, 'Twenty-two litres of waxed canvas with a laptop sleeve.'),
    ('pocket-umbrella',    'Pocket Umbrella',       'Outdoor', '☂️', 2700,    600, 'Opens with one hand and turns inside out without breaking.')
), listed AS (
  INSERT INTO product (product_id, name, description, category, emoji, currency_code, price_minor)
  SELECT product_id, name, description, category, emoji, 'USD', price_minor FROM seed
  RETURNING product_id
)
INSERT INTO stock (product_id, initial, available)
SELECT product_id, initial, initial FROM seed JOIN listed USING (product_id);
